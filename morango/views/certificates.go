package views

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"kolibri/core/api"
	"kolibri/core/auth"
	"kolibri/morango"
	"kolibri/morango/certificates"
	"kolibri/store"
)

// certificates lists those that are held here with their keys, and for one of them those above it.
// morango/api/viewsets.py: CertificateViewSet.get_queryset
func (v *Views) certificates(r *api.Request) (any, error) {
	var all []*morango.Certificate
	var err error
	q := r.Query()
	switch {
	case q.Has("primary_partition"):
		all, err = morango.Descendants(r.Tx, known(q.Get("primary_partition")))
		all = slices.DeleteFunc(all, func(c *morango.Certificate) bool { return c.PrivateKey == "" })
	case q.Has("ancestors_of"):
		var leaf *morango.Certificate
		if leaf, err = owned(r.Tx, known(q.Get("ancestors_of"))); err == nil {
			all, err = morango.Chain(r.Tx, leaf.ID)
		}
	default:
		all, err = morango.SelectCertificates(r.Tx, "private_key IS NOT NULL")
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if q.Has("profile") {
		all = slices.DeleteFunc(all, func(c *morango.Certificate) bool { return c.Profile != q.Get("profile") })
	}
	return certificates.TravellingAll(all), nil
}

func (v *Views) certificate(r *api.Request) (any, error) {
	c, err := owned(r.Tx, known(r.Param("pk")))
	if errors.Is(err, store.ErrNotFound) {
		return nil, r.NotFound()
	}
	if err != nil {
		return nil, err
	}
	return certificates.Travelling(c), nil
}

// sign makes a certificate for somebody who proves that he may have it.
func (v *Views) sign(r *api.Request) (any, error) {
	body, err := r.Object()
	if err != nil {
		return nil, err
	}
	if len(body) == 0 { // which the original validates before it looks who asks
		_, err := r.Clean(body, requestFields, false)
		return nil, plainly(err)
	}
	who, err := auth.BasicPerson(r, v.host)
	if err != nil {
		return nil, err
	}
	key, keyErr := morango.PlainKey(text(body, "public_key"))
	var made *morango.Certificate
	err = v.host.DB.Write(r.Ctx, func(tx *store.Tx) error {
		if err := permit(r, tx, who, body); err != nil {
			return err
		}
		q := certificates.Request{ScopeParams: text(body, "scope_params"), PublicKey: key}
		parent, err := checkFields(r, tx, body, &q, keyErr)
		if err != nil {
			return err
		}
		made, err = certificates.Issue(tx, v.host.Rand, parent, q)
		return err
	})
	var refused *certificates.Error
	if errors.As(err, &refused) {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: map[string]string{"error_class": refused.Class, "error_message": refused.Message}}
	}
	if err != nil {
		return nil, err
	}
	return api.Created(certificates.Travelling(made)), nil
}

// permit decides whether somebody may have a certificate.
// kolibri/core/auth/models.py: FacilityUser.has_morango_certificate_scope_permission
func permit(r *api.Request, tx *store.Tx, who *auth.Person, body map[string]any) error {
	denied := r.PermissionDenied()
	if who.IsAnonymous() {
		return auth.Unauthorized("Authentication credentials were not provided.")
	}
	var params struct {
		Dataset string `json:"dataset_id"`
		User    string `json:"user_id"`
	}
	var given map[string]json.RawMessage
	scope := fmt.Sprint(body["scope_definition"])
	if json.Unmarshal([]byte(text(body, "scope_params")), &given) != nil || len(given) == 0 || body["scope_definition"] == nil || scope == "" ||
		json.Unmarshal([]byte(text(body, "scope_params")), &params) != nil {
		return denied
	}
	may := who.IsSuperuser
	if !may && params.Dataset == who.DatasetID {
		switch scope {
		case morango.FullFacility:
			may = who.IsFacilityAdmin()
		case morango.SingleUser:
			user := known(params.User)
			// the original fails with a 500 here
			exists, err := tx.Exists("SELECT 1 FROM kolibriauth_facilityuser WHERE id = ? AND date_deleted IS NULL", user)
			if err != nil {
				return err
			}
			if !exists {
				return &api.Error{Status: http.StatusBadRequest, Body: map[string][]string{"scope_params": {"There is no user with this user_id."}}}
			}
			if may = user == who.ID; !may {
				if may, err = who.HasRoleForUser(tx, user, auth.Admin); err != nil {
					return err
				}
			}
		}
	}
	if !may {
		return denied
	}
	return nil
}

// requestFields are what a certificate is asked for with, and what Django REST framework says of them;
// the parent and the key have words of their own. morango/api/serializers.py: CertificateSerializer
var requestFields = []api.Field{
	{Name: "profile", Clean: api.CleanString(20, false)},
	{Name: "scope_definition", Clean: cleanScope},
	{Name: "scope_version", Clean: cleanVersion},
	{Name: "scope_params", Clean: api.CleanString(0, false)},
	{Name: "public_key", Clean: func(_ *api.Request, v any) (any, string, string) { return v, "", "" }},
}

func cleanScope(_ *api.Request, v any) (any, string, string) {
	if name := fmt.Sprint(v); morango.KnownScope(name) {
		return name, "", ""
	}
	return nil, api.DoesNotExist, fmt.Sprintf("Invalid pk \"%v\" - object does not exist.", v)
}

func cleanVersion(r *api.Request, v any) (any, string, string) {
	value, id, message := api.CleanInt(r, v)
	if n, ok := value.(int64); ok && (n < 0 || n > 1<<31-1) { // which PostgreSQL could not store
		return nil, api.Invalid, "A valid integer is required."
	}
	return value, id, message
}

// plainly gives the errors of fields as lists of texts by field, in which form these views answer.
func plainly(err error) error {
	var e *api.Error
	if !errors.As(err, &e) || len(e.Items) == 0 {
		return err
	}
	problems := map[string][]string{}
	for _, item := range e.Items {
		field, _ := item.Metadata["field"].(string)
		message, _ := item.Metadata["message"].(string)
		problems[field] = append(problems[field], message)
	}
	return &api.Error{Status: e.Status, Body: problems}
}

// checkFields looks at what is asked for, and finds the certificate that shall sign it.
func checkFields(r *api.Request, tx *store.Tx, body map[string]any, q *certificates.Request, keyErr error) (*morango.Certificate, error) {
	values, err := r.Clean(body, requestFields, false)
	problems := map[string][]string{}
	var e *api.Error
	if err = plainly(err); errors.As(err, &e) {
		problems = e.Body.(map[string][]string)
	}
	if keyErr != nil && problems["public_key"] == nil {
		problems["public_key"] = []string{"This is no RSA key."}
	}
	var parent *morango.Certificate
	switch given := body["parent"]; {
	case given == nil || given == "":
		problems["parent"] = []string{"Parent certificate (to sign the requested certificate) must be specified!"}
	default:
		parent, err = morango.LoadCertificate(tx, id(body, "parent"))
		switch {
		case errors.Is(err, store.ErrNotFound):
			problems["parent"] = []string{fmt.Sprintf("Invalid pk \"%v\" - object does not exist.", given)}
		case err != nil:
			return nil, err
		case parent.PrivateKey == "":
			problems["parent"] = []string{"Server does not have private key for requested parent certificate!"}
		}
	}
	if len(problems) > 0 {
		return nil, &api.Error{Status: http.StatusBadRequest, Body: problems}
	}
	q.Profile, q.Scope, q.Version = values.String("profile"), values.String("scope_definition"), values.Int("scope_version")
	return parent, nil
}

type nonce struct {
	ID        string   `json:"id"`
	Timestamp api.Time `json:"timestamp"`
	IP        string   `json:"ip"`
}

func (v *Views) nonce(r *api.Request) (any, error) {
	n, err := certificates.NewNonce(r.Tx, v.host.Rand, address(r))
	return api.Created(nonce{n.ID, api.Time(n.Timestamp), n.IP}), err
}
