"""AES-256-CBC as PHP's openssl_decrypt does it with a passphrase for a key: what openNDS's gateways encrypt with."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
KEY = 32


def decrypted(octets: bytes, passphrase: bytes, iv: bytes) -> bytes:
    """The plain octets with their padding, which nobody has looked at. Empty where the lengths cannot be right.

    PHP fills a short passphrase with zeros and cuts a long one (openssl_encrypt, `openssl_cipher_iv_length`).
    """
    if len(iv) != BLOCK or not octets or len(octets) % BLOCK:
        return b""
    key = passphrase[:KEY].ljust(KEY, b"\0")
    decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
    return decryptor.update(octets) + decryptor.finalize()
