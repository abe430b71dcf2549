#!/bin/sh
# Makes the certificates that the tests of TLS use; see README.md.
set -eu
cd "$(dirname "$0")"
days=36500
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days $days \
    -subj "/CN=Digest test authority" -addext "keyUsage=critical,keyCertSign,cRLSign" \
    -keyout "$work/authority.key" -out authority.pem

sign() { # NAME HOST
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$2" \
        -keyout "$work/$1.key" -out "$work/$1.csr"
    printf 'subjectAltName=DNS:%s\nbasicConstraints=critical,CA:FALSE\nauthorityKeyIdentifier=keyid\n' "$2" >"$work/$1.ext"
    openssl x509 -req -in "$work/$1.csr" -CA authority.pem -CAkey "$work/authority.key" \
        -CAcreateserial -CAserial "$work/serial" -days $days -extfile "$work/$1.ext" -out "$work/$1.crt"
    cat "$work/$1.key" "$work/$1.crt" >"$1.pem"
}
sign server localhost
sign elsewhere elsewhere.example
