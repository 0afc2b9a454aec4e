"""One operation of icp-py-core with its verification on, printed as JSON.

python client.py <url> <root key, hex> <canister> version | begin_upload | state
"""

import hashlib
import json
import sys

from icp_agent import Agent, Client
from icp_candid.candid import Types, encode
from icp_certificate import certificate
from icp_identity import Identity
from icp_principal import Principal
from py_ecc.bls import hash_to_curve, point_compression
from py_ecc.optimized_bls12_381 import G2, is_inf, multiply, curve_order, normalize, pairing

url, root_key, canister, operation = sys.argv[1:]


def verify_bls_signature(signature, message, public_key):
    """Whether e(signature, generator) = e(hash of the message, public key)."""
    try:
        point = point_compression.decompress_G1(int.from_bytes(signature, "big"))
        halves = int.from_bytes(public_key[:48], "big"), int.from_bytes(public_key[48:], "big")
        key = point_compression.decompress_G2(halves)
    except ValueError:
        return False
    if not all(is_inf(multiply(each, curve_order)) for each in (point, key)):
        return False
    digest = hash_to_curve.hash_to_G1(message, certificate.IC_BLS_DST, hashlib.sha256)
    return pairing(G2, point) == pairing(key, digest)


# For certificates the client takes the root key from a constant, and BLS from a binding that no registry has.
certificate.IC_ROOT_KEY = bytes.fromhex(root_key)
certificate.verify_bls_signature_blst = verify_bls_signature

identity = Identity(privkey="01" * 32)  # the tests' controller
agent = Agent(identity, Client(url), root_key=certificate.IC_ROOT_KEY, verify_query_signatures=True)


def result(kind):
    return Types.Variant({"Ok": kind, "Err": Types.Reserved})


DIGEST = Types.Vec(Types.Nat8)
KIND = Types.Variant({name: Types.Null for name in ("Dataset", "Model", "PrivateModel", "Proof")})


def version():
    reply = agent.query_raw(canister, "version", encode([]), [result(Types.Text)])
    return reply[0]["value"]["Ok"]


def begin_upload():
    request = Types.Record({"kind": KIND, "digest": DIGEST, "size": Types.Nat64})
    value = {"kind": {"Dataset": None}, "digest": [0xD5] * 32, "size": 4096}
    argument = encode([{"type": request, "value": value}])
    reply = Types.Record({"digest": DIGEST, "size": Types.Nat64})
    reply = agent.update_raw(canister, "begin_upload", argument, [result(reply)])
    status = reply[0]["value"]["Ok"]
    return {"digest": bytes(status["digest"]).hex(), "size": status["size"]}


def state():
    path = [b"canister", Principal.from_str(canister).bytes, b"module_hash"]
    return agent.read_state_raw(canister, [path]).lookup(path).hex()


try:
    print(json.dumps({"ok": {"version": version, "begin_upload": begin_upload, "state": state}[operation]()}))
except Exception as error:
    print(json.dumps({"error": type(error).__name__, "message": str(error)}))
