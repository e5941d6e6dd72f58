"""A client in another language: Python with zmq and protobuf, REQ and DEALER, CURVE; a wrong key, a key without the right, a key
revoked while connected; and what is not a command."""

import hashlib
import os
import sys
import time

import zmq

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from instance import Instance, check, check_true, pb, report, wait_for  # noqa: E402


def merkle_root(leaf, path, index, count):
    """RFC 6962, from the leaf up."""
    def node(left, right):
        return hashlib.blake2b(b"\x01" + left + right, digest_size=32).digest()

    value, last = leaf, count - 1
    for sibling in path:
        while index % 2 == 0 and index == last:
            index, last = index // 2, last // 2
        value = node(sibling, value) if index % 2 else node(value, sibling)
        index, last = index // 2, last // 2
    return value


def main():
    with Instance() as instance:
        instance.up()
        instance.publish()

        for name, kind in (("REQ", zmq.REQ), ("DEALER", zmq.DEALER)):
            client = instance.client("intake", kind=kind)
            command = report(f"{name}-1", unit="lindhaga")
            reply = client.call(command)
            check(f"{name}: a report is done", reply.status, pb.REPLY_STATUS_DONE)
            again = client.call(command)
            check(f"{name}: the same again gets the same id", again.report_accepted.report_id, reply.report_accepted.report_id)
            check_true(f"{name}: and is marked as repeated", again.repeated)
            command.file_report.narrative.description = "Något annat."
            check(f"{name}: another content under the reference is a conflict", client.call(command).status,
                  pb.REPLY_STATUS_CONFLICT)

            receipt = reply.report_accepted.receipt
            packed = report(f"{name}-1", unit="lindhaga")
            packed.file_report.CopyFrom(command.file_report)
            packed.file_report.narrative.description = "Provtext: larmet besvarades inte."
            content = hashlib.blake2b(packed.file_report.SerializeToString(deterministic=True), digest_size=32).digest()
            commitment = hashlib.blake2b(content, digest_size=32, key=receipt.blinding).digest()
            check(f"{name}: the receipt commits to what was sent", receipt.leaf.commitment, commitment)
            leaf = hashlib.blake2b(b"\x00" + receipt.leaf.SerializeToString(deterministic=True), digest_size=32).digest()
            check(f"{name}: its path leads to the turn's root",
                  merkle_root(leaf, receipt.path, receipt.index, receipt.count), receipt.turn.merkle_root)
            check(f"{name}: the daemon finds it true",
                  client.call(pb.Command(verify_receipt=pb.VerifyReceipt(receipt=receipt))).receipt_verified.valid, True)
            receipt.leaf.received_at_ms += 1
            check(f"{name}: and a changed one false",
                  client.call(pb.Command(verify_receipt=pb.VerifyReceipt(receipt=receipt))).receipt_verified.valid, False)
            client.close()

        client = instance.client("intake")
        client.send(b"\xff\xff this is no command")
        check("what is no protobuf is answered as malformed", client.receive().status, pb.REPLY_STATUS_MALFORMED)
        client.send(report("truncated").SerializeToString()[:-7])
        check("a truncated frame is answered as malformed", client.receive().status, pb.REPLY_STATUS_MALFORMED)
        frame = report("nul").SerializeToString().replace(b"larmet", b"lar\0et")
        client.send(frame)
        check("NUL in a text is answered as malformed", client.receive().status, pb.REPLY_STATUS_MALFORMED)
        frame = report("utf8").SerializeToString().replace(b"larmet", b"lar\xffet")
        client.send(frame)
        check("bad UTF-8 is answered as malformed", client.receive().status, pb.REPLY_STATUS_MALFORMED)
        unknown = report("enum")
        unknown.file_report.type = 77
        reply = client.call(unknown)
        check("an unknown enum value is invalid", reply.status, pb.REPLY_STATUS_INVALID)
        check("and the fault names the field", [f.path for f in reply.faults], ["type"])
        nameless = report("")
        check("an order without a reference is invalid", client.call(nameless).status, pb.REPLY_STATUS_INVALID)
        client.socket.send_multipart([b""] + [b"x"] * 3000)
        check("thousands of frames are answered as malformed", client.receive().status, pb.REPLY_STATUS_MALFORMED)
        check("a command of another daemon is unsupported",
              client.call(pb.Command(reference="w", act_on_case=pb.ActOnCase())).status, pb.REPLY_STATUS_UNSUPPORTED)
        big = instance.client("intake", timeout_ms=1500)
        big.send(b"\x0a" * (16 << 20))
        try:
            status = big.receive().status
            check("an oversized frame is refused", status, pb.REPLY_STATUS_TOO_LARGE)
        except zmq.Again:
            print("ok  an oversized frame ends that connection")
        big.close()
        check("and the daemon goes on", client.call(report("after-all", unit="lindhaga")).status, pb.REPLY_STATUS_DONE)

        consumer = instance.client("intake", name="statistics")
        check("a key without the right is forbidden", consumer.call(report("no-right")).status, pb.REPLY_STATUS_FORBIDDEN)
        consumer.close()

        stranger = instance.client("intake", pair=zmq.curve_keypair(), timeout_ms=1500)
        stranger.send(report("stranger"))
        try:
            stranger.receive()
            check_true("an unknown key is never answered", False)
        except zmq.Again:
            print("ok  an unknown key is never answered")
        stranger.close()
        wrong = instance.client("intake", server_key=zmq.curve_keypair()[0], timeout_ms=1500)
        wrong.send(report("wrong"))
        try:
            wrong.receive()
            check_true("a wrong server key is never answered", False)
        except zmq.Again:
            print("ok  a wrong server key is never answered")
        wrong.close()

        instance.avvik("principals", "revoke", "publisher")
        wait_for("a key revoked while connected is refused within seconds",
                 lambda: client.call(report(f"revoked-{time.monotonic()}")).status, pb.REPLY_STATUS_FORBIDDEN, timeout=5)
        client.close()


main()
