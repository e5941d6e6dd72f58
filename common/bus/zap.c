/* zap.c - who may shake hands: the ZAP handler of this process (ZeroMQ RFC 27).
 *
 * libzmq asks over an inproc REP socket for each CURVE handshake; the answer's user id, the peer's public
 * key, is then on every message of that connection. Without a handler libzmq would let everyone in: so it is
 * there before the first socket and until after the last one, and a message without a user id belongs to
 * nobody. The limit of connections is held here, by what the sockets' monitors told. That comes a
 * little late, so the limit is exact to within the handshakes under way.
 */
#include "bus/zap.h"
#include <stdio.h>
#include <zmq.h>
#include "base/status.h"
#include "bus/bus_internal.h"

#define FIELD_MAX 255
#define REQUESTS_AT_ONCE 64
#define TEMPORARY "300"
#define NOT_ALLOWED "400"

static bool is(struct av_bytes frame, const char *text)
{
	return av_bytes_equal(frame, av_bytes_of(text));
}

int av_zap_parse(const struct av_bytes *frames, size_t count, struct av_zap_request *ret_request)
{
	if (count != AV_ZAP_FRAMES)
		return AV_MALFORMED;
	if (!is(frames[0], "1.0"))
		return AV_UNSUPPORTED;
	if (frames[1].size == 0 || frames[1].size > FIELD_MAX)
		return AV_MALFORMED;
	for (size_t i = 2; i <= 4; i++)
		if (frames[i].size > FIELD_MAX)
			return AV_MALFORMED;
	if (!is(frames[5], "CURVE"))
		return AV_UNSUPPORTED;
	if (frames[6].size != 32)
		return AV_MALFORMED;
	struct av_zap_request request = {.id = frames[1], .domain = frames[2], .address = frames[3]};
	if (!zmq_z85_encode(request.key, frames[6].data, 32))
		return AV_MALFORMED;
	*ret_request = request;
	return AV_OK;
}

int zap_open(struct av_bus *bus, const char **ret_why)
{
	void *zmq = zmq_socket(bus->context, ZMQ_REP);
	int linger = 0;
	if (!zmq || zmq_setsockopt(zmq, ZMQ_LINGER, &linger, sizeof(linger)) != 0 ||
		zmq_bind(zmq, ZAP_ENDPOINT) != 0) {
		if (zmq)
			zmq_close(zmq);
		*ret_why = "the ZAP handler could not be bound; is the machine out of descriptors?";
		return AV_IO;
	}
	bus->zap = pump_open(bus, zmq);
	if (!bus->zap) {
		*ret_why = "the ZAP handler could not be put on the loop; is the machine out of memory?";
		return AV_MEMORY;
	}
	return AV_OK;
}

/* NULL: come in. After TEMPORARY a peer's libzmq tries again by itself, after NOT_ALLOWED it is silent for
 * good. */
static const char *reason_to_refuse(
	struct av_bus *bus, const struct av_zap_request *request, const char **ret_status)
{
	*ret_status = NOT_ALLOWED;
	if (!is(request->domain, ZAP_DOMAIN))
		return "another ZAP domain";
	if (bus_barred(bus, request->key))
		return "the key is barred for a minute";
	const struct av_principal *principal = av_bus_principal(bus, request->key);
	if (!principal)
		return "the key belongs to no principal, or not now: add it to the principals file";
	*ret_status = TEMPORARY;
	if (bus_is_full(bus, principal))
		return "too many connections";
	return NULL;
}

static void answer(
	struct pump *zap, struct av_bytes id, const char *status, const char *text, const char *user)
{
	zmq_send(zap->zmq, "1.0", 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap->zmq, id.data, id.size, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap->zmq, status, 3, ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap->zmq, text, strlen(text), ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap->zmq, user, strlen(user), ZMQ_SNDMORE | ZMQ_DONTWAIT);
	zmq_send(zap->zmq, "", 0, ZMQ_DONTWAIT);
}

/* One request: read, decided, answered. False: there is none. */
static bool serve(struct av_bus *bus)
{
	zmq_msg_t parts[AV_ZAP_FRAMES];
	struct av_bytes frames[AV_ZAP_FRAMES];
	size_t kept = 0, count = 0;
	for (int more = 1; more; count++) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, bus->zap->zmq, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&part);
			break;
		}
		more = zmq_msg_more(&part);
		if (kept < AV_ZAP_FRAMES) {
			zmq_msg_init(&parts[kept]);
			zmq_msg_move(&parts[kept], &part);
			frames[kept] = av_bytes(zmq_msg_data(&parts[kept]), zmq_msg_size(&parts[kept]));
			kept++;
		}
		zmq_msg_close(&part);
	}
	if (count == 0)
		return false;
	struct av_zap_request request;
	int status = av_zap_parse(frames, count, &request);
	const char *refusal = NOT_ALLOWED;
	const char *why =
		status == AV_OK ? reason_to_refuse(bus, &request, &refusal) : "not a ZAP request for CURVE";
	if (status != AV_OK)
		answer(bus->zap, kept > 1 ? frames[1] : av_bytes("", 0), "500", "malformed", "");
	else if (why)
		answer(bus->zap, request.id, refusal, "not allowed", "");
	else
		answer(bus->zap, request.id, "200", "", request.key);
	bus->granted += !why;
	if (why)
		bus_refuse(bus, status == AV_OK ? request.key : "", why);
	for (size_t i = 0; i < kept; i++)
		zmq_msg_close(&parts[i]);
	return true;
}

void zap_drain(struct av_bus *bus)
{
	for (int i = 0; i < REQUESTS_AT_ONCE && bus->zap && !bus->zap->empty && serve(bus); i++)
		;
}
