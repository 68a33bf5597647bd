#!/bin/sh
# Draws the database's password into ./secrets. What is there stays.
set -eu
cd "${1:-$(dirname "$0")}"
umask 077
mkdir -p secrets
if [ ! -e secrets/database_password ]; then
	openssl rand -base64 33 | tr -d '\n' > secrets/database_password
	# mounted as it is, so the image's user must be able to read it
	if [ "$(id -u)" = 0 ]; then chown 10001:10001 secrets/database_password; chmod 444 secrets/database_password; fi
fi
