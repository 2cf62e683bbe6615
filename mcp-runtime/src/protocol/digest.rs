//! What stands for a text that is too long or too secret to be told.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use orion::hazardous::hash::blake2::blake2b::Hasher::Blake2b256;

/// 256 bits of a text in 43 letters, digits, `-` and `_`: the same each time for the same text, and for no other.
pub(crate) fn digest(text: &str) -> String {
    // It fails only for more bytes than there can be.
    let digest = Blake2b256.digest(text.as_bytes()).ok();
    URL_SAFE_NO_PAD.encode(digest.as_ref().map(AsRef::as_ref).unwrap_or_default())
}
