//go:build !js

package postgres

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// hint tells an operator what to look at when the first connection fails. With several attempts, as
// prefer and allow make, the last one's error counts, which is the server's own answer.
func hint(err error) string {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch server.Code {
		case "28P01", "28000": // invalid_password, invalid_authorization_specification
			if strings.Contains(server.Message, "no encryption") {
				return "The server wants TLS: set DATABASE_SSL_MODE to verify-full."
			}
			return "Look at DATABASE_USER and DATABASE_PASSWORD, and at the server's pg_hba.conf."
		case "3D000": // invalid_catalog_name
			return "Create the database, or look at DATABASE_NAME."
		case "53300": // too_many_connections
			return "The server has no connection left; raise its max_connections."
		case "42501": // insufficient_privilege
			return "Make DATABASE_USER the owner of the database, so that it may create tables."
		}
		return ""
	}
	var authority x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var name x509.HostnameError
	switch {
	case errors.Is(err, pgconn.ErrReadOnlyConnection):
		return "The server takes no writes: it is a standby. DATABASE_HOST must name the primary."
	case errors.As(err, &name):
		return "The server's certificate is for another name; DATABASE_HOST must be the name in it."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "The server's certificate, or the authority's, is expired or not valid yet: renew it, and look at this machine's clock."
	case errors.As(err, &authority), errors.As(err, &verification):
		return "Set DATABASE_SSL_ROOT_CERT to the certificate of the authority that signed the server's."
	case errors.Is(err, os.ErrNotExist):
		return "Look at DATABASE_SSL_ROOT_CERT: the file is not there."
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return "The server does not speak TLS: switch ssl on there, or, in a network that you trust, set DATABASE_SSL_MODE to disable."
	}
	var network net.Error
	if errors.As(err, &network) {
		return "Look at DATABASE_HOST and DATABASE_PORT, and whether the server runs and accepts connections from here."
	}
	return ""
}
