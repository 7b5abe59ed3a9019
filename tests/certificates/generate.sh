#!/usr/bin/env bash
# Writes the certificates of the TLS tests with OpenSSL 3.0 or later, valid for a hundred years:
#
#     tests/certificates/generate.sh
#
# Each directory has the CA's certificate (ca.pem) and the server's certificate with its key
# (server.pem). The arguments of `pair`: the directory, the CA's key, the server's key, the hash, and
# options of the signature.
set -euo pipefail
cd "$(dirname "$0")"
export RANDFILE=/dev/null

new_key() { # the kind of key, the file
    case $1 in
        rsa:*) openssl genpkey -quiet -algorithm RSA -pkeyopt "rsa_keygen_bits:${1#rsa:}" -out "$2" ;;
        pss) openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out "$2" ;;
        pss_sha256) openssl genpkey -quiet -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 \
            -pkeyopt rsa_pss_keygen_md:sha256 -pkeyopt rsa_pss_keygen_mgf1_md:sha256 \
            -pkeyopt rsa_pss_keygen_saltlen:32 -out "$2" ;;
        ed*) openssl genpkey -algorithm "$1" -out "$2" ;;
        *) openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$1" \
            -pkeyopt ec_param_enc:named_curve -out "$2" ;;
    esac
}

pair() {
    local dir=$1 ca_key=$2 key=$3 hash=$4
    shift 4
    rm -rf "$dir"
    mkdir "$dir"
    new_key "$ca_key" "$dir/ca.key"
    new_key "$key" "$dir/server.key"
    openssl req -x509 -new -key "$dir/ca.key" -subj "/CN=Test CA $dir" -days 36500 "$hash" "$@" \
        -addext basicConstraints=critical,CA:TRUE -out "$dir/ca.pem"
    openssl req -new -key "$dir/server.key" -subj /CN=server -out "$dir/server.csr"
    printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > "$dir/ext"
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -days 36500 \
        "$hash" "$@" -extfile "$dir/ext" -out "$dir/server.crt" 2>/dev/null
    cat "$dir/server.crt" "$dir/server.key" > "$dir/server.pem"
    rm "$dir/ca.key" "$dir/server.key" "$dir/server.csr" "$dir/server.crt" "$dir/ext"
}

self_signed() { # the directory, the CA flag
    rm -rf "$1"
    mkdir "$1"
    new_key P-256 "$1/key"
    openssl req -x509 -new -key "$1/key" -subj "/CN=server" -days 36500 -sha256 \
        -addext "basicConstraints=critical,CA:$2" -addext subjectAltName=IP:127.0.0.1 -out "$1/ca.pem"
    cat "$1/ca.pem" "$1/key" > "$1/server.pem"
    rm "$1/key"
}

intermediate() { # the directory, the intermediate CA's key
    local dir=$1
    rm -rf "$dir"
    mkdir "$dir"
    new_key P-256 "$dir/ca.key"
    openssl req -x509 -new -key "$dir/ca.key" -subj "/CN=Test CA $dir" -days 36500 -sha256 -out "$dir/ca.pem"
    new_key "$2" "$dir/middle.key"
    openssl req -new -key "$dir/middle.key" -subj "/CN=Test intermediate CA" -out "$dir/csr"
    printf 'basicConstraints=critical,CA:TRUE\n' > "$dir/ext"
    openssl x509 -req -in "$dir/csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -days 36500 -sha256 \
        -extfile "$dir/ext" -out "$dir/middle.crt" 2>/dev/null
    new_key P-256 "$dir/server.key"
    openssl req -new -key "$dir/server.key" -subj /CN=server -out "$dir/csr"
    printf 'subjectAltName=IP:127.0.0.1\n' > "$dir/ext"
    openssl x509 -req -in "$dir/csr" -CA "$dir/middle.crt" -CAkey "$dir/middle.key" -days 36500 \
        -sha256 -extfile "$dir/ext" -out "$dir/server.crt" 2>/dev/null
    cat "$dir/server.crt" "$dir/middle.crt" "$dir/server.key" > "$dir/server.pem"
    rm "$dir"/*.key "$dir"/*.crt "$dir/csr" "$dir/ext"
}

pss=(-sigopt rsa_padding_mode:pss)
pair p521 P-521 P-521 -sha512
pair p521_sha256 P-521 P-256 -sha256
pair p521_sha384 P-521 P-384 -sha384
pair p384_sha256 P-384 P-256 -sha256
pair p384_sha512 P-384 P-384 -sha512
pair p256_sha384 P-256 P-256 -sha384
pair p256_sha512 P-256 P-521 -sha512
pair rsa_4096_sha512 rsa:4096 rsa:3072 -sha512
pair rsa_8192_sha384 rsa:8192 P-256 -sha384
pair rsa_pss_sha256 rsa:2048 rsa:2048 -sha256 "${pss[@]}"
pair rsa_pss_sha512 rsa:4096 rsa:2048 -sha512 "${pss[@]}" -sigopt rsa_pss_saltlen:digest
pair rsa_pss_key pss pss -sha384
pair rsa_pss_sha256_key pss_sha256 pss_sha256 -sha256 -sigopt rsa_pss_saltlen:digest
pair ed25519 ed25519 ed25519 -sha512
self_signed self_signed_ca TRUE
self_signed self_signed FALSE
# Not supported.
pair brainpool brainpoolP256r1 P-256 -sha256
pair rsa_1024 rsa:1024 P-256 -sha256
intermediate brainpool_intermediate brainpoolP256r1

pair ed448 ed448 P-256 -sha512
