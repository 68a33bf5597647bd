#!/bin/sh
# Makes a private certificate authority and the database's certificate in ./tls. What is there stays.
set -eu
cd "${1:-$(dirname "$0")}"
umask 077
mkdir -p tls/database
if [ ! -e tls/authority.crt ]; then
	openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=Kolibri's own authority" \
		-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
		-keyout tls/authority.key -out tls/authority.crt
	chmod 644 tls/authority.crt
fi
if [ ! -e tls/database/server.crt ]; then
	openssl req -newkey rsa:3072 -nodes -subj "/CN=database" -keyout tls/database/server.key -out tls/database/server.csr
	printf 'subjectAltName=DNS:database\nextendedKeyUsage=serverAuth\n' > tls/database/extensions
	openssl x509 -req -in tls/database/server.csr -CA tls/authority.crt -CAkey tls/authority.key -CAcreateserial \
		-days 825 -extfile tls/database/extensions -out tls/database/server.crt
	rm tls/database/server.csr tls/database/extensions
	# the image's postgres user must be able to read the key, and nobody else
	if [ "$(id -u)" = 0 ]; then chown -R 999:999 tls/database; fi
fi
