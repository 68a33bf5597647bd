// Package deploy has the files that put Kolibri into a cloud; its tests check them as far as that can
// be done without one.
package deploy

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// options are the names that the server knows: what the files set must be among them.
func options(t *testing.T) map[string]bool {
	text, err := os.ReadFile("../cmd/kolibri/options.go")
	require.NoError(t, err)
	known := map[string]bool{"KOLIBRI_HOME": true, "KOLIBRI_BUILD_DIR": true}
	for _, m := range regexp.MustCompile(`name: "([A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
		known["KOLIBRI_"+m[1]] = true
	}
	text, err = os.ReadFile("../cmd/kolibri/provider.go")
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`"(KOLIBRI_PROVIDER_[A-Z_]+)"`).FindAllStringSubmatch(string(text), -1) {
		known[m[1]] = true
	}
	require.Greater(t, len(known), 50)
	return known
}

func requireKnown(t *testing.T, text string) {
	t.Helper()
	known := options(t)
	for _, name := range regexp.MustCompile(`\bKOLIBRI_[A-Z_]+\b`).FindAllString(text, -1) {
		if name != "KOLIBRI_DOMAIN" && name != "KOLIBRI_IMAGE" { // compose's own
			require.True(t, known[name], "%s is no option", name)
		}
	}
}

// instructions are a Dockerfile's, each in one line.
func instructions(t *testing.T, file string) [][2]string {
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	requireKnown(t, string(text))
	joined := regexp.MustCompile(`\\\n\s*`).ReplaceAllString(string(text), "")
	var all [][2]string
	for _, line := range strings.Split(joined, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			word, rest, _ := strings.Cut(line, " ")
			require.Contains(t, []string{"FROM", "RUN", "COPY", "USER", "ENV", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}, word)
			all = append(all, [2]string{word, rest})
		}
	}
	return all
}

func TestDockerfile(t *testing.T) {
	last := map[string]string{}
	var copies []string
	for _, i := range instructions(t, "Dockerfile") {
		last[i[0]] = i[1]
		if i[0] == "COPY" && !strings.HasPrefix(i[1], "--from") {
			copies = append(copies, strings.Fields(i[1])[0])
		}
	}
	require.Equal(t, "scratch", last["FROM"], "nothing but the server is in it")
	require.Regexp(t, `^[1-9]\d*:[1-9]\d*$`, last["USER"], "a number, so that it is seen not to be root's")
	require.Equal(t, "/data/content", last["VOLUME"])
	require.Equal(t, `["/kolibri"]`, last["ENTRYPOINT"])
	require.Contains(t, last["HEALTHCHECK"], `CMD ["/kolibri", "ready"]`)
	for _, want := range []string{"KOLIBRI_CONTENT_DIR=/data/content", "KOLIBRI_DATABASE_SSL_MODE=verify-full", "KOLIBRI_BUILD_DIR=/build"} {
		require.Contains(t, last["ENV"], want)
	}
	require.NotContains(t, strings.ToUpper(last["ENV"]), "PASSWORD")
	ignored, err := os.ReadFile("Dockerfile.dockerignore")
	require.NoError(t, err)
	for _, c := range copies {
		require.Contains(t, string(ignored), "!"+strings.TrimSuffix(c, "/")+"\n", "what is copied must get into the build's context")
	}
}

// TestProviderFiles checks the image and the compose file of the provider service.
func TestProviderFiles(t *testing.T) {
	last := map[string]string{}
	for _, i := range instructions(t, "provider.Dockerfile") {
		if i[0] == "FROM" {
			clear(last) // only the last stage is in the image
		}
		last[i[0]] = i[1]
	}
	ignored, err := os.ReadFile("provider.Dockerfile.dockerignore")
	require.NoError(t, err)
	require.Equal(t, "*\n!bin/kolibri\n", string(ignored))
	require.Equal(t, map[string]string{"FROM": "scratch", "COPY": "bin/kolibri /kolibri", "USER": "10001:10001", "ENV": "HOME=/data KOLIBRI_HOME=/data KOLIBRI_PROVIDER_LISTEN=:8095",
		"VOLUME": "/data", "EXPOSE": "8095", "STOPSIGNAL": "SIGTERM", "ENTRYPOINT": `["/kolibri", "provider"]`, "CMD": `["--log-format", "json"]`,
		"HEALTHCHECK": `--interval=15s --timeout=5s --start-period=10s --retries=3 CMD ["/kolibri", "provider", "ready"]`}, last)
	compose, err := os.ReadFile("provider-compose.yaml")
	require.NoError(t, err)
	requireKnown(t, string(compose))
	for _, want := range []string{"read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", `"127.0.0.1:8095:8095"`, "${KOLIBRI_PROVIDER_KEY:?", "${KOLIBRI_PROVIDER_TOKEN:?"} {
		require.Contains(t, string(compose), want)
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		c := exec.Command("docker", "compose", "-f", "provider-compose.yaml", "config", "--quiet")
		c.Env = append(os.Environ(), "KOLIBRI_PROVIDER_TOKEN=x", "KOLIBRI_PROVIDER_KEY=x", "PROVIDER_CALLBACK=x")
		out, err := c.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

// TestCompose reads the file as YAML by the rules that its plain form needs, and asks compose itself
// where it is installed.
func TestCompose(t *testing.T) {
	text, err := os.ReadFile("compose.yaml")
	require.NoError(t, err)
	requireKnown(t, string(text))
	require.NotContains(t, string(text), "\t")
	service := func(name string) string {
		m := regexp.MustCompile(`(?m)^  ` + name + `:\n((?:    .*\n|\n)+)`).FindStringSubmatch(string(text))
		require.NotNil(t, m, name)
		return m[1]
	}
	kolibri, database := service("kolibri"), service("database")
	for _, want := range []string{"KOLIBRI_DATABASE_SSL_MODE: verify-full", "read_only: true", "cap_drop: [ALL]", "no-new-privileges:true",
		"content:/data/content", "replicas: 2", "condition: service_healthy"} {
		require.Contains(t, kolibri, want)
	}
	require.NotContains(t, kolibri, "ports:", "only the front is reached from outside")
	require.NotContains(t, database, "ports:")
	require.Contains(t, database, "networks: [inside]")
	require.Contains(t, database, `"ssl=on"`)
	require.NotRegexp(t, `(?i)password:[ \t]*\S`, string(text), "passwords come from files")
	for _, m := range regexp.MustCompile(`- (\./[^:]+):`).FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(m[1], "./tls/") { // what certificates.sh makes
			require.FileExists(t, m[1])
		}
	}
	if exec.Command("docker", "compose", "version").Run() == nil {
		out, err := exec.Command("docker", "compose", "config", "--quiet").CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

func TestScripts(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		out, err := exec.Command(name, args...).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		return string(out)
	}
	for range 2 { // the second time nothing changes
		run("./certificates.sh", dir)
		run("./secrets.sh", dir)
	}
	run("openssl", "verify", "-purpose", "sslserver", "-verify_hostname", "database", "-CAfile", filepath.Join(dir, "tls/authority.crt"), filepath.Join(dir, "tls/database/server.crt"))
	for _, private := range []string{"tls/authority.key", "tls/database/server.key"} {
		info, err := os.Stat(filepath.Join(dir, private))
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, "%s is nobody else's", private)
	}
	password, err := os.ReadFile(filepath.Join(dir, "secrets/database_password"))
	require.NoError(t, err)
	require.Len(t, password, 44)
	ignored, err := os.ReadFile(".gitignore")
	require.NoError(t, err)
	require.Equal(t, "/tls/\n/secrets/\n", string(ignored), "neither gets into the repository")
}

// TestStepsOfTheImage goes through the Dockerfile's last stage in a clean folder: the copied program
// starts without anything else of this machine, with a root that it cannot write. It takes the
// program that make kolibri made (make e2e does both).
func TestStepsOfTheImage(t *testing.T) {
	program, root := unpacked(t)
	home := t.TempDir()
	c := exec.Command(program, "start", "--foreground")
	c.Dir = root
	for _, i := range instructions(t, "Dockerfile") {
		if i[0] == "ENV" {
			for _, assignment := range strings.Fields(i[1]) {
				c.Env = append(c.Env, strings.NewReplacer("/data", home, "=/build", "=").Replace(assignment))
			}
		}
	}
	c.Env = append(c.Env, "KOLIBRI_DATABASE_NAME=kolibri", "KOLIBRI_DATABASE_HOST=127.0.0.1", "KOLIBRI_DATABASE_PORT=1")
	out, err := c.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "DATABASE_HOST and DATABASE_PORT", "everything is there but the database")
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.SplitN(string(out), "\n", 2)[0]), &line), "the log is JSON")
}

// unpacked puts the program where an image has it, in a folder with nothing else, which nobody may write.
func unpacked(t *testing.T) (program, root string) {
	text, err := os.ReadFile("../bin/kolibri")
	if os.IsNotExist(err) {
		t.Skip("there is no bin/kolibri: run make kolibri")
	}
	require.NoError(t, err)
	root = t.TempDir()
	program = filepath.Join(root, "kolibri")
	require.NoError(t, os.WriteFile(program, text, 0o755))
	headers, err := elf.NewFile(bytes.NewReader(text))
	require.NoError(t, err)
	for _, p := range headers.Progs {
		require.NotEqual(t, elf.PT_INTERP, p.Type, "it is linked statically: the image has no loader")
	}
	require.NoError(t, os.Chmod(root, 0o555))
	t.Cleanup(func() { _ = os.Chmod(root, 0o755) }) // else only root could remove it
	return program, root
}

// TestStepsOfTheProviderImage starts the service as its image does, asks for its health as the image does, tells it of a
// provider, stops it as Docker does, and starts it once more on what it left in its volume.
func TestStepsOfTheProviderImage(t *testing.T) {
	program, root := unpacked(t)
	volume := t.TempDir()
	last := map[string]string{}
	for _, i := range instructions(t, "provider.Dockerfile") {
		last[i[0]] = i[1]
	}
	command := func(ctx context.Context, words string, more ...string) *exec.Cmd {
		var list []string
		require.NoError(t, json.Unmarshal([]byte(words), &list))
		c := exec.CommandContext(ctx, program, append(list[1:], more...)...)
		c.Dir, c.WaitDelay = root, 5*time.Second
		// its port is free on this machine, where the image has all ports to itself
		c.Env = append(strings.Fields(strings.NewReplacer("/data", volume, ":8095", "127.0.0.1:0").Replace(last["ENV"])),
			"KOLIBRI_PROVIDER_TOKEN=token of the product", "KOLIBRI_PROVIDER_KEY="+base64.StdEncoding.EncodeToString(make([]byte, 32)))
		return c
	}
	var options []string
	require.NoError(t, json.Unmarshal([]byte(last["CMD"]), &options))
	for _, known := range []string{`{"items":[],"next":null}`, `"id":"7"`} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		c := command(ctx, last["ENTRYPOINT"], options...)
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		log := &bytes.Buffer{}
		c.Stderr = log
		require.NoError(t, c.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err, log)
		at := strings.TrimSuffix(strings.TrimSpace(line[strings.Index(line, "http"):]), "/")
		_, check, _ := strings.Cut(last["HEALTHCHECK"], "CMD ")
		ready := command(ctx, check)
		ready.Env = append(ready.Env, "KOLIBRI_PROVIDER_LISTEN="+strings.TrimPrefix(at, "http://"))
		told, err := ready.CombinedOutput()
		require.NoError(t, err, string(told))
		ask := func(method, body string) string {
			r, err := http.NewRequestWithContext(ctx, method, at+"/api/providers", strings.NewReader(body))
			require.NoError(t, err)
			r.Header.Set("Authorization", "token of the product")
			res, err := http.DefaultClient.Do(r)
			require.NoError(t, err)
			defer res.Body.Close()
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			return string(text)
		}
		require.Contains(t, ask("GET", ""), known)
		require.Contains(t, ask("POST", `{"id":7,"type":"kolibri","base_url":"https://kolibri.example","username":"admin","password":"sesame"}`), `"id":"7"`)
		require.NoError(t, c.Process.Signal(syscall.SIGTERM))
		require.NoError(t, c.Wait(), log)
		for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
			require.True(t, json.Valid([]byte(line)), "the log is JSON: %s", line)
		}
		gone := command(ctx, check)
		gone.Env = append(gone.Env, "KOLIBRI_PROVIDER_LISTEN="+strings.TrimPrefix(at, "http://"))
		require.Error(t, gone.Run(), "what has ended is not ready")
	}
}
