package servertest

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"kolibri/core/auth"
)

// Upload sends a form with one file.
func (c *Client) Upload(path string, fields map[string]string, field, name, content string) *Answer {
	c.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for key, value := range fields {
		require.NoError(c.t, form.WriteField(key, value))
	}
	part, err := form.CreateFormFile(field, name)
	require.NoError(c.t, err)
	_, err = part.Write([]byte(content))
	require.NoError(c.t, err)
	require.NoError(c.t, form.Close())
	req, err := http.NewRequest(http.MethodPost, c.base+path, &body)
	require.NoError(c.t, err)
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("X-CSRFToken", c.Cookie(auth.CSRFCookie))
	return c.Send(req)
}

// Ended waits for the end of the job that an answer made, and returns it as it is then.
func (c *Client) Ended(made *Answer) *Answer {
	c.t.Helper()
	require.Equal(c.t, http.StatusOK, made.Status, made.Text)
	id, _ := made.Field("id").(string)
	for range 3000 {
		job := c.Get("/api/tasks/tasks/" + id + "/")
		require.Equal(c.t, http.StatusOK, job.Status, job.Text)
		switch job.Field("status") {
		case "COMPLETED", "FAILED", "CANCELED":
			return job
		}
		time.Sleep(10 * time.Millisecond)
	}
	require.Fail(c.t, "the job does not end", made.Text)
	return nil
}
