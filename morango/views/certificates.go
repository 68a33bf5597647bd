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
		q := certificates.Request{Profile: text(body, "profile"), Scope: text(body, "scope_definition"), ScopeParams: text(body, "scope_params"), PublicKey: key}
		parent, problems, err := checkFields(tx, body, &q)
		if err != nil {
			return err
		}
		if keyErr != nil {
			problems["public_key"] = []string{"This is no RSA key."}
		}
		if len(problems) > 0 {
			return &api.Error{Status: http.StatusBadRequest, Body: problems}
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
	if json.Unmarshal([]byte(text(body, "scope_params")), &params) != nil || text(body, "scope_definition") == "" {
		return denied
	}
	may := who.IsSuperuser
	if !may && params.Dataset == who.DatasetID {
		switch text(body, "scope_definition") {
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

// checkFields looks at what is asked for, and finds the certificate that shall sign it.
func checkFields(tx *store.Tx, body map[string]any, q *certificates.Request) (*morango.Certificate, map[string][]string, error) {
	problems := map[string][]string{}
	missing := func(name, kind string) {
		problems[name] = []string{fmt.Sprintf("Invalid pk %q - object does not exist.", kind)}
	}
	var parent *morango.Certificate
	switch given := body["parent"]; {
	case given == nil:
		problems["parent"] = []string{"Parent certificate (to sign the requested certificate) must be specified!"}
	default:
		var err error
		parent, err = morango.LoadCertificate(tx, id(body, "parent"))
		switch {
		case errors.Is(err, store.ErrNotFound):
			missing("parent", fmt.Sprint(given))
		case err != nil:
			return nil, nil, err
		case parent.PrivateKey == "":
			problems["parent"] = []string{"Server does not have private key for requested parent certificate!"}
		}
	}
	if !morango.KnownScope(q.Scope) {
		missing("scope_definition", q.Scope)
	}
	if q.Profile == "" || len(q.Profile) > 20 {
		problems["profile"] = []string{"Ensure this field has between 1 and 20 characters."}
	}
	n, ok := body["scope_version"].(json.Number)
	version, err := n.Int64()
	if !ok || err != nil || version < 0 || version > 1<<31-1 {
		problems["scope_version"] = []string{"A valid integer is required."}
	}
	q.Version = version
	return parent, problems, nil
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
