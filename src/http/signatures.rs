//! The signatures of certificates: those of the provider, and RSA-PSS as OpenSSL creates it.
//!
//! An algorithm applies if its identifiers are those of the certificate, byte for byte, so each salt
//! length is an algorithm of its own. OpenSSL 3.0 uses the longest salt by default, other programs
//! one of the length of the hash. An RSA key may have an identifier of its own, `id-RSASSA-PSS`.
//!
//! <https://www.rfc-editor.org/rfc/rfc4055#section-3.1>

use std::sync::LazyLock;

use aws_lc_rs::signature::{
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPssSaltLength, UnparsedPublicKey,
};
use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

/// The signatures of certificates, and of handshakes with usual keys.
pub(super) static ALL: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    let own = default_provider().signature_verification_algorithms;
    let pss = HASHES.iter().flat_map(Hash::algorithms);
    let all: Vec<Algorithm> = own.all.iter().copied().chain(pss).collect();
    WebPkiSupportedAlgorithms {
        all: all.leak(),
        ..own
    }
});

/// The signatures of handshakes with keys of type `id-RSASSA-PSS`: the salt is as long as the hash.
pub(super) static PSS_HANDSHAKES: LazyLock<WebPkiSupportedAlgorithms> = LazyLock::new(|| {
    let schemes = HASHES.iter().map(|hash| {
        let with_salt = hash.algorithms().filter(|a| hash.has_own_salt(*a));
        let algorithms: Vec<Algorithm> = with_salt.collect();
        (hash.scheme, &*algorithms.leak())
    });
    let mapping: Vec<_> = schemes.collect();
    WebPkiSupportedAlgorithms {
        all: &[],
        mapping: mapping.leak(),
    }
});

/// Returns true if a signature with a key of this type can be verified.
pub(super) fn supports_key(identifier: &[u8]) -> bool {
    let mut all = ALL.all.iter();
    all.any(|algorithm| algorithm.public_key_alg_id().as_ref() == identifier)
}

/// RSA-PSS with one hash.
struct Hash {
    /// The end of the hash's object identifier, after [`SHA2`].
    id: u8,
    length: u16,
    scheme: SignatureScheme,
}

static HASHES: [Hash; 3] = [
    Hash {
        id: 1,
        length: 32,
        scheme: SignatureScheme::RSA_PSS_SHA256,
    },
    Hash {
        id: 2,
        length: 48,
        scheme: SignatureScheme::RSA_PSS_SHA384,
    },
    Hash {
        id: 3,
        length: 64,
        scheme: SignatureScheme::RSA_PSS_SHA512,
    },
];

/// The key sizes, in bits, for which the longest salt is accepted.
const KEY_SIZES: [u16; 4] = [2048, 3072, 4096, 8192];

/// The salt length that is not written, because it is the default.
const DEFAULT_SALT: u16 = 20;

/// The object identifiers in DER: `id-RSASSA-PSS`, `id-mgf1`, and all but the last byte of the hashes.
const RSASSA_PSS: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
const MGF1: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 8];
const SHA2: [u8; 10] = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2];

/// The tags of DER.
const INTEGER: u8 = 2;
const NULL: [u8; 2] = [5, 0];
const SEQUENCE: u8 = 0x30;
const CONTEXT: u8 = 0xa0;

impl Hash {
    /// Returns the algorithms with every salt, notation and type of key.
    fn algorithms(&self) -> impl Iterator<Item = Algorithm> {
        let longest = |bits| bits / 8 - self.length - 2;
        let salts = [0, DEFAULT_SALT, self.length];
        let salts = salts.into_iter().chain(KEY_SIZES.map(longest));
        let signatures = salts.flat_map(|salt| {
            let salt_length = RsaPssSaltLength::Custom(salt);
            let parameters = self.parameters_with(salt_length);
            self.notations(salt).map(|id| (id, parameters))
        });
        let keys = [alg_id::RSA_ENCRYPTION, identifier(RSASSA_PSS.to_vec())];
        let keys: Vec<_> = keys
            .into_iter()
            .chain(self.notations(self.length))
            .collect();
        signatures.flat_map(move |(signature, parameters)| {
            let with_key = move |key| {
                let pss = RsaPss {
                    key,
                    signature,
                    parameters,
                };
                Box::leak(Box::new(pss)) as Algorithm
            };
            keys.clone().into_iter().map(with_key)
        })
    }

    fn parameters_with(&self, salt_length: RsaPssSaltLength) -> &'static RsaParameters {
        let base = match self.id {
            1 => RSA_PSS_2048_8192_SHA256,
            2 => RSA_PSS_2048_8192_SHA384,
            _ => RSA_PSS_2048_8192_SHA512,
        };
        Box::leak(Box::new(base.with_pss_salt_length(salt_length)))
    }

    fn has_own_salt(&self, algorithm: Algorithm) -> bool {
        let own = self.notations(self.length);
        own.contains(&algorithm.signature_alg_id())
            && algorithm.public_key_alg_id() != alg_id::RSA_ENCRYPTION
    }

    /// Returns the identifier of a signature with a salt: the parameters of the hash may be NULL or
    /// absent.
    fn notations(&self, salt: u16) -> [AlgorithmIdentifier; 2] {
        [&NULL[..], &[]].map(|parameters| {
            let hash = der(SEQUENCE, &[&SHA2, &[self.id], parameters]);
            let mask = der(SEQUENCE, &[&MGF1, &hash]);
            let [high, low] = salt.to_be_bytes();
            let salt_length = match (high, low) {
                _ if salt == DEFAULT_SALT => Vec::new(),
                (0, ..=0x7f) => der(CONTEXT + 2, &[&der(INTEGER, &[&[low]])]),
                _ => der(CONTEXT + 2, &[&der(INTEGER, &[&[high, low]])]),
            };
            let hash = der(CONTEXT, &[&hash]);
            let mask = der(CONTEXT + 1, &[&mask]);
            let parameters = der(SEQUENCE, &[&hash, &mask, &salt_length]);
            identifier([&RSASSA_PSS[..], &parameters].concat())
        })
    }
}

fn identifier(bytes: Vec<u8>) -> AlgorithmIdentifier {
    AlgorithmIdentifier::from_slice(bytes.leak())
}

/// Returns a value in DER, of at most 127 bytes.
fn der(tag: u8, content: &[&[u8]]) -> Vec<u8> {
    let content = content.concat();
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [vec![tag, length], content].concat()
}

/// RSA-PSS with one salt length and one type of key.
#[derive(Debug)]
struct RsaPss {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    parameters: &'static RsaParameters,
}

impl SignatureVerificationAlgorithm for RsaPss {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        let key = UnparsedPublicKey::new(self.parameters, public_key);
        key.verify(message, signature).map_err(|_| InvalidSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_those_of_the_standard() {
        for (hash, known) in HASHES.iter().zip([
            alg_id::RSA_PSS_SHA256,
            alg_id::RSA_PSS_SHA384,
            alg_id::RSA_PSS_SHA512,
        ]) {
            assert_eq!(hash.notations(hash.length)[0], known);
            let schemes = PSS_HANDSHAKES.mapping.iter();
            let found = schemes.filter(|(scheme, _)| *scheme == hash.scheme);
            let algorithms: Vec<_> = found.flat_map(|(_, a)| a.iter()).collect();
            assert_eq!(algorithms.len(), 2 * 3, "two notations, three types of key");
        }
    }

    #[test]
    fn longest_salt_is_that_of_openssl() {
        // From a certificate of `openssl req -newkey rsa:2048 -sha256 -sigopt rsa_padding_mode:pss`.
        let end = [0xa2, 4, 2, 2, 0, 0xde];
        let has_end = |a: &&Algorithm| a.signature_alg_id().as_ref().ends_with(&end);
        assert!(ALL.all.iter().any(|a| has_end(&a)));
    }

    #[test]
    fn unsupported_keys_are_recognized() {
        assert!(supports_key(alg_id::ECDSA_P521.as_ref()));
        assert!(supports_key(&RSASSA_PSS));
        assert!(!supports_key(alg_id::ED448.as_ref()));
    }
}
