/* socket.c - ROUTER and DEALER sockets: options, messages in, messages out. Streams (XPUB) go on in stream.c.
 *
 * A route is the envelope frames as they came, each preceded by its size (u16, big-endian), the empty frame
 * included: what is sent to a route is those frames and the body, so REQ, DEALER and proxies all get back
 * what they sent. */
#include "bus/socket.h"
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>
#include <zmq.h>
#include "base/status.h"
#include "bus/bus_internal.h"

#define HANDSHAKE_MS 5000
#define HEARTBEAT_MS 10000
#define HEARTBEAT_TIMEOUT_MS 30000 /* well above what a peer may pause reading */
#define CURVE_EXTRA 64		   /* bytes that CURVE adds to a frame, and some */
#define FRAME_LEAST 1024	   /* the handshake's own frames must pass */
#define TOPIC_MAX 256

static_assert(sizeof(zmq_msg_t) == sizeof(struct av_frame), "a frame holds a message of ZeroMQ");
static_assert(_Alignof(struct av_frame) >= _Alignof(zmq_msg_t), "a frame is aligned as a message of ZeroMQ");

static zmq_msg_t *msg_of(const struct av_frame *frame)
{
	static const struct av_frame nothing;
	if (memcmp(frame, &nothing, sizeof(nothing)) == 0)
		return NULL;
	return (zmq_msg_t *)(void *)(uintptr_t)frame;
}

struct av_bytes av_frame_bytes(const struct av_frame *frame)
{
	zmq_msg_t *msg = msg_of(frame);
	return msg ? av_bytes(zmq_msg_data(msg), zmq_msg_size(msg)) : av_bytes(NULL, 0);
}

void av_frame_release(struct av_frame *frame)
{
	zmq_msg_t *msg = msg_of(frame);
	if (msg)
		zmq_msg_close(msg);
	memset(frame, 0, sizeof(*frame));
}

/* The message's bytes and counts are all inside the 64 bytes or behind pointers in them, none of which points
 * back at them: that is what lets a frame move by assignment. */
static struct av_frame frame_take(zmq_msg_t *msg)
{
	struct av_frame frame;
	memcpy(&frame, msg, sizeof(frame));
	zmq_msg_init(msg);
	return frame;
}

/* Options */

static bool set_int(void *zmq, int option, int value)
{
	return zmq_setsockopt(zmq, option, &value, sizeof(value)) == 0;
}

static bool set_text(void *zmq, int option, const char *value)
{
	return zmq_setsockopt(zmq, option, value, strlen(value)) == 0;
}

static bool set_common(void *zmq, const struct av_socket *socket)
{
	const struct av_socket_options *options = &socket->options;
	bool stream = options->kind == AV_SOCKET_XPUB;
	size_t most = stream ? TOPIC_MAX : options->frame_bytes;
	int64_t frame_bytes = (int64_t)AV_MAX(most + CURVE_EXTRA, (size_t)FRAME_LEAST);
	return zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &frame_bytes, sizeof(frame_bytes)) == 0 &&
	       set_int(zmq, ZMQ_SNDHWM, options->queue_messages) &&
	       set_int(zmq, ZMQ_RCVHWM, options->queue_messages) && set_int(zmq, ZMQ_LINGER, LINGER_MS) &&
	       set_int(zmq, ZMQ_SNDTIMEO, 0) && set_int(zmq, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
	       set_int(zmq, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
	       set_int(zmq, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
	       set_int(zmq, ZMQ_TCP_KEEPALIVE, 1) && set_int(zmq, ZMQ_TCP_KEEPALIVE_IDLE, 60) &&
	       set_int(zmq, ZMQ_TCP_KEEPALIVE_INTVL, 15) && set_int(zmq, ZMQ_TCP_KEEPALIVE_CNT, 4) &&
	       set_int(zmq, ZMQ_IPV6, strchr(socket->endpoint, '[') != NULL);
}

static bool set_server(void *zmq, const struct av_socket *socket)
{
	/* ROUTER_HANDOVER stays off: with it a peer could take another's routing id over. */
	bool done = set_int(zmq, ZMQ_CURVE_SERVER, 1) &&
		    set_text(zmq, ZMQ_CURVE_SECRETKEY, socket->bus->keys.secret_key) &&
		    set_text(zmq, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN);
	if (socket->options.kind == AV_SOCKET_ROUTER)
		return done && set_int(zmq, ZMQ_ROUTER_MANDATORY, 1);
	return done && set_int(zmq, ZMQ_XPUB_MANUAL, 1);
}

static bool set_client(void *zmq, const struct av_socket *socket)
{
	/* IMMEDIATE: nothing is queued for a peer that is away; the owner sends again when it is told
	 * `connected`. */
	return set_text(zmq, ZMQ_CURVE_SERVERKEY, socket->server_key) &&
	       set_text(zmq, ZMQ_CURVE_PUBLICKEY, socket->bus->keys.public_key) &&
	       set_text(zmq, ZMQ_CURVE_SECRETKEY, socket->bus->keys.secret_key) &&
	       set_int(zmq, ZMQ_IMMEDIATE, 1) && set_int(zmq, ZMQ_RECONNECT_IVL, 50) &&
	       set_int(zmq, ZMQ_RECONNECT_IVL_MAX, 2000);
}

static int keep_endpoint(struct av_socket *socket, void *zmq)
{
	char bound[300] = "";
	size_t size = sizeof(bound);
	if (zmq_getsockopt(zmq, ZMQ_LAST_ENDPOINT, bound, &size) != 0)
		return AV_IO;
	char *copy = strdup(bound);
	if (!copy)
		return AV_MEMORY;
	free(socket->endpoint);
	socket->endpoint = copy;
	return AV_OK;
}

int socket_connect(struct av_socket *socket, const char **ret_why)
{
	static const int types[] = {[AV_SOCKET_ROUTER] = ZMQ_ROUTER,
		[AV_SOCKET_DEALER] = ZMQ_DEALER,
		[AV_SOCKET_XPUB] = ZMQ_XPUB};
	bool client = socket->options.kind == AV_SOCKET_DEALER;
	void *zmq = zmq_socket(socket->bus->context, types[socket->options.kind]);
	if (!zmq) {
		*ret_why = "a socket could not be made; is the machine out of descriptors?";
		return AV_IO;
	}
	if (!set_common(zmq, socket) || !(client ? set_client(zmq, socket) : set_server(zmq, socket))) {
		*ret_why = "a key or option of the socket is not valid; are the keys 40 characters of Z85?";
		zmq_close(zmq);
		return AV_INVALID;
	}
	socket->monitor = socket_monitor_open(socket, zmq);
	if (!socket->monitor) {
		*ret_why = "a socket's monitor could not be made; is the machine out of descriptors?";
		zmq_close(zmq);
		return AV_IO;
	}
	if ((client ? zmq_connect(zmq, socket->endpoint) : zmq_bind(zmq, socket->endpoint)) != 0) {
		int status = errno == EADDRINUSE ? AV_EXISTS : errno == EINVAL ? AV_INVALID : AV_IO;
		*ret_why = status == AV_EXISTS ? "the endpoint is in use; does another process hold it?"
			   : status == AV_INVALID
				   ? "the endpoint is not valid; write tcp://address:port or ipc://path"
				   : "the endpoint cannot be used; is the address one of this machine?";
		pump_close(&socket->monitor);
		zmq_close(zmq);
		return status;
	}
	int status = client ? AV_OK : keep_endpoint(socket, zmq);
	socket->pump = pump_open(socket->bus, zmq);
	if (!socket->pump || status != AV_OK) {
		*ret_why = "out of memory";
		pump_close(&socket->pump);
		pump_close(&socket->monitor);
		return AV_MEMORY;
	}
	return AV_OK;
}

int av_socket_open(struct av_bus *bus, const struct av_socket_options *options, struct av_socket **ret_socket,
	const char **ret_why)
{
	struct av_socket *socket = calloc(1, sizeof(*socket));
	if (!socket)
		goto memory;
	socket->bus = bus;
	socket->options = *options;
	socket->valid_until_ms = INT64_MAX;
	socket->endpoint = strdup(options->endpoint);
	socket->server_key = strdup(options->server_key ? options->server_key : "");
	if (!socket->endpoint || !socket->server_key)
		goto memory;
	socket->options.endpoint = socket->options.server_key = NULL; /* the copies are meant */
	if (options->kind == AV_SOCKET_ROUTER && !(socket->lent = lent_create(bus)))
		goto memory;
	int status = socket_connect(socket, ret_why);
	if (status != AV_OK) {
		socket_free(socket);
		return status;
	}
	if (options->kind == AV_SOCKET_XPUB && bus->principals)
		stream_revalidate(socket, NULL);
	DL_APPEND(bus->sockets, socket);
	*ret_socket = socket;
	return AV_OK;
memory:
	if (socket)
		socket_free(socket);
	*ret_why = "out of memory";
	return AV_MEMORY;
}

void socket_free(struct av_socket *socket)
{
	pump_close(&socket->monitor);
	pump_close(&socket->pump);
	free(socket->endpoint);
	free(socket->server_key);
	free(socket);
}

void av_socket_close(struct av_socket **socket)
{
	struct av_socket *closing = *socket;
	if (!closing)
		return;
	*socket = NULL;
	closing->closed = true;
	closing->connections = closing->admitted = closing->failed = 0;
	if (closing->pump)
		zmq_socket_monitor(closing->pump->zmq, NULL, 0);
	pump_close(&closing->monitor);
	pump_close(&closing->pump);
	bus_sweep(closing->bus);
}

const char *av_socket_endpoint(const struct av_socket *socket)
{
	return socket->endpoint;
}

struct av_socket_counts av_socket_counts(const struct av_socket *socket)
{
	return socket->counts;
}

void av_socket_pause(struct av_socket *socket, bool paused)
{
	socket->paused = paused;
}

bool socket_wants(const struct av_socket *socket)
{
	bool readable = pump_readable(socket->pump); /* read even when paused: it arms the descriptor */
	return readable && !socket->paused && !socket->closed;
}

/* Messages in */

static bool route_add(struct av_route *route, const void *frame, size_t size)
{
	if (route->size + 2 + size > AV_ROUTE_MAX)
		return false;
	route->bytes[route->size] = (unsigned char)(size >> 8);
	route->bytes[route->size + 1] = (unsigned char)size;
	memcpy(route->bytes + route->size + 2, frame, size);
	route->size = (uint16_t)(route->size + 2 + size);
	return true;
}

/* Reads one message, or the rest of one that is thrown away. AV_NOTHING: there is none.
 * The body is the frame after the first empty one, or without an empty one the only frame (after the routing
 * id). */
static int read_message(struct av_socket *socket, struct av_message_in *message, char key[AV_CURVE_TEXT])
{
	bool router = socket->options.kind == AV_SOCKET_ROUTER, delimited = false;
	uint16_t id_size = 0;
	*message = (struct av_message_in){.key = key};
	key[0] = 0;
	for (unsigned int count = 1;; count++) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, socket->pump->zmq, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&part);
			return AV_NOTHING;
		}
		bool more = zmq_msg_more(&part), id = router && count == 1;
		size_t size = zmq_msg_size(&part);
		bool body = !id && !more && (delimited || count == 1u + router);
		const char *user = zmq_msg_gets(&part, "User-Id");
		if (user && strlen(user) < AV_CURVE_TEXT)
			memcpy(key, user, strlen(user) + 1);
		bool envelope = id || (!body && !delimited && more && count < AV_FRAMES_MAX);
		if (body)
			message->body = frame_take(&part);
		else if (!envelope || !route_add(&message->route, zmq_msg_data(&part), size))
			message->broken = true;
		if (id)
			id_size = message->route.size;
		else if (envelope && size == 0)
			delimited = true;
		zmq_msg_close(&part);
		message->broken |= id && !more;
		if (message->broken && !delimited)
			message->route.size = id_size; /* the envelope has no end: the id alone */
		if (message->broken)
			socket->skipping = more;
		if (body || message->broken)
			return AV_OK;
	}
}

static bool skip(struct av_socket *socket)
{
	zmq_msg_t part;
	zmq_msg_init(&part);
	bool got = zmq_msg_recv(&part, socket->pump->zmq, ZMQ_DONTWAIT) >= 0;
	socket->skipping = got && zmq_msg_more(&part);
	zmq_msg_close(&part);
	return got;
}

void socket_drain(struct av_socket *socket)
{
	if (socket->options.kind == AV_SOCKET_XPUB) {
		stream_drain(socket);
		return;
	}
	struct av_bus *bus = socket->bus;
	for (int i = 0; i < DRAIN_AT_ONCE && !socket->closed && !socket->paused && !socket->pump->empty;
		i++) {
		struct av_message_in message;
		char key[AV_CURVE_TEXT];
		if (socket->skipping) {
			if (!skip(socket))
				return;
			continue;
		}
		if (read_message(socket, &message, key) != AV_OK)
			return;
		socket->counts.received++;
		socket->counts.broken += message.broken;
		if (socket->options.kind == AV_SOCKET_DEALER)
			message.key = socket->server_key;
		message.principal = av_bus_principal(bus, message.key);
		if (!message.principal && socket->options.kind == AV_SOCKET_ROUTER) {
			socket->counts.refused++;
			bus_refuse(bus, key, "a message under a key that is no longer allowed");
		}
		socket->options.on_message(socket->options.context, &message);
	}
}

/* Messages out */

static int make_frame(const void *data, size_t size, zmq_msg_t *ret_msg)
{
	if (zmq_msg_init_size(ret_msg, size) != 0)
		return AV_MEMORY;
	if (size > 0)
		memcpy(zmq_msg_data(ret_msg), data, size);
	return AV_OK;
}

static int send_frame(void *zmq, zmq_msg_t *msg, int more)
{
	if (zmq_msg_send(msg, zmq, ZMQ_DONTWAIT | more) >= 0)
		return AV_OK;
	return errno == EAGAIN ? AV_BUSY : errno == EHOSTUNREACH ? AV_NOTHING : AV_IO;
}

/* Only the first frame can be refused: ZeroMQ counts messages, not frames. */
static int send_all(void *zmq, const struct av_route *route, zmq_msg_t *body)
{
	for (size_t at = 0; route && at + 2 <= route->size;) {
		size_t size = (size_t)route->bytes[at] << 8 | route->bytes[at + 1];
		zmq_msg_t frame;
		int status = make_frame(route->bytes + at + 2, size, &frame);
		if (status != AV_OK)
			return status;
		status = send_frame(zmq, &frame, ZMQ_SNDMORE);
		zmq_msg_close(&frame); /* nothing once it is sent */
		if (status != AV_OK)
			return status;
		at += 2 + size;
	}
	return send_frame(zmq, body, 0);
}

static int send_message(struct av_socket *socket, const struct av_route *route, struct av_bytes body)
{
	zmq_msg_t message;
	int status = socket->lent && body.size >= LENT_LEAST ? lent_body(socket->lent, route, body, &message)
							     : make_frame(body.data, body.size, &message);
	if (status != AV_OK)
		return status;
	status = send_all(socket->pump->zmq, route, &message);
	if (status == AV_BUSY) {
		/* ZeroMQ looks only now and then at what its peers have read since; reading ZMQ_EVENTS makes
		 * it look. */
		pump_look(socket->pump);
		status = send_all(socket->pump->zmq, route, &message);
	}
	zmq_msg_close(&message); /* nothing once it is sent */
	return status;
}

int av_socket_send(struct av_socket *socket, const struct av_route *route, struct av_bytes body)
{
	int status = socket->pump ? send_message(socket, route, body) : AV_NOTHING;
	pump_wake(socket->pump);
	if (status == AV_OK)
		socket->counts.sent++;
	else
		socket->counts.dropped++;
	return status;
}
