//! Proofs of possession (DPoP): a token request proves that its sender has the key of the session.
//!
//! <https://www.rfc-editor.org/rfc/rfc9449>

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::OffsetDateTime;

/// The key of a session, on the curve P-256.
pub struct ProofKey(EcdsaKeyPair);

impl ProofKey {
    /// Parses a private key in PEM format, `EC PRIVATE KEY` or `PRIVATE KEY`; `None` if it is not a key
    /// on P-256.
    pub fn from_pem(pem: &str) -> Option<Self> {
        let lines = pem.lines().map(str::trim);
        let content: String = lines.filter(|line| !line.starts_with("-----")).collect();
        let der = BASE64_STANDARD.decode(content).ok()?;
        let pair = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der);
        pair.ok().map(Self)
    }

    /// Returns the `DPoP` header of one request: a JSON Web Token, signed with ES256. Each has its own
    /// `jti`, so a retry needs a new one.
    pub fn proof(&self, method: &str, uri: &str, now: OffsetDateTime) -> Option<String> {
        // Uncompressed: 4, x, y.
        let (x, y) = self.0.public_key().as_ref().get(1..65)?.split_at(32);
        let header = json!({
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": {"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)},
        });
        let payload = json!({
            "htm": method, "htu": uri, "iat": now.unix_timestamp(), "jti": unique_id()?,
        });
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&payload));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).ok()?;
        Some(format!("{signed}.{}", encode(signature.as_ref())))
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns 128 random bits.
fn unique_id() -> Option<String> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).ok()?;
    Some(encode(&bytes))
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use time::macros::datetime;

    use super::*;

    /// A key as the AWS CLI and openssl write it, and the same key in PKCS #8.
    const KEYS: [&str; 2] = [
        "-----BEGIN EC PRIVATE KEY-----\n\
         MHcCAQEEIH9YdDboxJZzZpG+4ydgXbZRY051TciI0QWbsp8V9Zi4oAoGCCqGSM49\n\
         AwEHoUQDQgAENK9oBdr3FbH5RFA5rwuJ9CKNHa6LcP7b1iTXLbv4VLthmpXbw2MW\n\
         2dMBAByCqbzSLKftM4kaOPPaoCKBCDjB4w==\n\
         -----END EC PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\n\
         MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgf1h0NujElnNmkb7j\n\
         J2BdtlFjTnVNyIjRBZuynxX1mLihRANCAAQ0r2gF2vcVsflEUDmvC4n0Io0drotw\n\
         /tvWJNctu/hUu2GaldvDYxbZ0wEAHIKpvNIsp+0ziRo489qgIoEIOMHj\n\
         -----END PRIVATE KEY-----\n",
    ];

    fn decode(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn json_of(part: &str) -> Value {
        serde_json::from_slice(&decode(part)).unwrap()
    }

    #[test]
    fn proof_is_signed_and_names_the_request() {
        let now = datetime!(2026-11-24 12:00:00 UTC);
        for pem in KEYS {
            let key = ProofKey::from_pem(pem).unwrap();
            let proof = key
                .proof("POST", "https://a.example/v1/token", now)
                .unwrap();
            let parts: Vec<&str> = proof.split('.').collect();
            let (header, payload) = (json_of(parts[0]), json_of(parts[1]));
            assert_eq!(header["typ"], "dpop+jwt");
            assert_eq!(header["alg"], "ES256");
            assert_eq!(payload["htm"], "POST");
            assert_eq!(payload["htu"], "https://a.example/v1/token");
            assert_eq!(payload["iat"], now.unix_timestamp());
            let coordinate = |name: &str| decode(header["jwk"][name].as_str().unwrap());
            let public = [vec![4], coordinate("x"), coordinate("y")].concat();
            let signed = format!("{}.{}", parts[0], parts[1]);
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
                .verify(signed.as_bytes(), &decode(parts[2]))
                .unwrap();
            let next = key
                .proof("POST", "https://a.example/v1/token", now)
                .unwrap();
            let next = json_of(next.split('.').nth(1).unwrap());
            assert_ne!(next["jti"], payload["jti"], "each proof has its own ID");
        }
    }

    #[test]
    fn other_keys_are_refused() {
        let rsa = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
        for pem in [
            "",
            "not a key",
            "-----BEGIN EC PRIVATE KEY-----\n!!!\n",
            rsa,
        ] {
            assert!(ProofKey::from_pem(pem).is_none(), "{pem}");
        }
    }
}
