/* link.c - a blocking ZeroMQ connection with CURVE. */
#include "link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <zmq.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "seal/crypto.h"

#define LINGER_MS 500 /* for what was sent just before closing */
#define CURVE_EXTRA 64

static bool set_int(void *zmq, int option, int value)
{
	return zmq_setsockopt(zmq, option, &value, sizeof(value)) == 0;
}

static bool set_text(void *zmq, int option, const char *value)
{
	return zmq_setsockopt(zmq, option, value, strlen(value)) == 0;
}

static bool set_options(const struct link *link, void *zmq)
{
	int64_t most = LINK_FRAME_MAX + CURVE_EXTRA;
	return zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &most, sizeof(most)) == 0 &&
	       set_int(zmq, ZMQ_LINGER, LINGER_MS) && set_int(zmq, ZMQ_SNDHWM, LINK_QUEUE) &&
	       set_int(zmq, ZMQ_RCVHWM, LINK_QUEUE) && set_int(zmq, ZMQ_RECONNECT_IVL, 100) &&
	       set_int(zmq, ZMQ_RECONNECT_IVL_MAX, 5000) && set_int(zmq, ZMQ_HEARTBEAT_IVL, 10000) &&
	       set_int(zmq, ZMQ_HEARTBEAT_TIMEOUT, 30000) && set_int(zmq, ZMQ_TCP_KEEPALIVE, 1) &&
	       set_int(zmq, ZMQ_IPV6, strchr(link->endpoint, '[') != NULL) &&
	       set_text(zmq, ZMQ_CURVE_SERVERKEY, link->server_key) &&
	       set_text(zmq, ZMQ_CURVE_PUBLICKEY, link->public_key) &&
	       set_text(zmq, ZMQ_CURVE_SECRETKEY, link->secret_key);
}

/* The monitor tells when the connection has ended. Its queue has no bound, since ZeroMQ's own thread would
 * wait at one. */
static bool watch(struct link *link)
{
	char endpoint[40];
	/* the last one may linger */
	snprintf(endpoint, sizeof(endpoint), "inproc://monitor-%u", ++link->monitors);
	if (zmq_socket_monitor(link->zmq, endpoint, ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED) !=
		0)
		return false;
	link->connected = false;
	link->monitor = zmq_socket(link->context, ZMQ_PAIR);
	return link->monitor && set_int(link->monitor, ZMQ_RCVHWM, 0) &&
	       set_int(link->monitor, ZMQ_LINGER, 0) && zmq_connect(link->monitor, endpoint) == 0;
}

static void drop(struct link *link)
{
	if (link->zmq) {
		zmq_socket_monitor(link->zmq, NULL, 0);
		zmq_close(link->zmq);
	}
	if (link->monitor)
		zmq_close(link->monitor);
	link->zmq = link->monitor = NULL;
}

static int make(struct link *link)
{
	link->zmq = zmq_socket(link->context, link->kind == LINK_SUB ? ZMQ_SUB : ZMQ_DEALER);
	if (!link->zmq)
		return AV_MEMORY;
	int status = AV_INVALID;
	bool done = set_options(link, link->zmq);
	for (size_t i = 0; i < link->topic_count; i++)
		done &= set_text(link->zmq, ZMQ_SUBSCRIBE, link->topics[i]);
	if (done)
		status = watch(link) ? AV_OK : AV_MEMORY;
	if (status == AV_OK && zmq_connect(link->zmq, link->endpoint) != 0)
		status = AV_INVALID;
	if (status != AV_OK)
		drop(link);
	return status;
}

static bool copy_key(char to[AV_KEY_TEXT], const char *key)
{
	if (!key || strlen(key) != AV_KEY_TEXT - 1)
		return false;
	memcpy(to, key, AV_KEY_TEXT);
	return true;
}

int link_open(
	struct link *link, enum link_kind kind, const char *endpoint, const struct av_client_options *options)
{
	memset(link, 0, sizeof(*link));
	if (!endpoint || !copy_key(link->server_key, options->server_key) ||
		!copy_key(link->public_key, options->public_key) ||
		!copy_key(link->secret_key, options->secret_key)) {
		av_wipe(link->secret_key, sizeof(link->secret_key));
		return AV_INVALID;
	}
	link->kind = kind;
	link->endpoint = strdup(endpoint);
	link->context = zmq_ctx_new();
	int status = link->endpoint && link->context ? make(link) : AV_MEMORY;
	if (status != AV_OK)
		link_close(link);
	return status;
}

void link_close(struct link *link)
{
	drop(link);
	if (link->context)
		zmq_ctx_term(link->context);
	for (size_t i = 0; i < link->topic_count; i++)
		free(link->topics[i]);
	free(link->topics);
	free(link->endpoint);
	av_wipe(link, sizeof(*link));
}

int link_reset(struct link *link)
{
	if (link->zmq)
		set_int(link->zmq, ZMQ_LINGER, 0);
	drop(link);
	return make(link);
}

int link_subscribe(struct link *link, const char *topic)
{
	char **topics = realloc(link->topics, (link->topic_count + 1) * sizeof(*topics));
	if (!topics)
		return AV_MEMORY;
	link->topics = topics;
	topics[link->topic_count] = strdup(topic);
	if (!topics[link->topic_count])
		return AV_MEMORY;
	link->topic_count++;
	return set_text(link->zmq, ZMQ_SUBSCRIBE, topic) ? AV_OK : AV_INTERNAL;
}

int link_send(struct link *link, struct av_bytes body)
{
	if (!link->zmq && make(link) != AV_OK)
		return AV_MEMORY;
	while (zmq_send(link->zmq, body.data, body.size, ZMQ_DONTWAIT) < 0) {
		if (errno == EAGAIN)
			return AV_BUSY;
		if (errno != EINTR)
			return AV_INTERNAL;
	}
	return AV_OK;
}

/* True: a connection that stood has ended. */
static bool read_monitor(struct link *link)
{
	struct {
		uint16_t event;
		unsigned char rest[62];
	} head = {0};
	char address[300];
	bool ended = false;
	while (zmq_recv(link->monitor, &head, sizeof(head), ZMQ_DONTWAIT) >= 0) {
		zmq_recv(link->monitor, address, sizeof(address), ZMQ_DONTWAIT);
		ended |= head.event == ZMQ_EVENT_DISCONNECTED && link->connected;
		link->connected = head.event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
	}
	return ended;
}

/* Waits until a message may be read. */
static int wait_readable(struct link *link, int64_t deadline_ms)
{
	for (;;) {
		int64_t left_ms = deadline_ms - av_clock_monotonic_ms();
		zmq_pollitem_t items[] = {{.socket = link->zmq, .events = ZMQ_POLLIN},
			{.socket = link->monitor, .events = ZMQ_POLLIN}};
		int ready = zmq_poll(items, 2, (long)AV_MIN(AV_MAX(left_ms, 0), 60000));
		if (ready < 0 && errno != EINTR)
			return AV_INTERNAL;
		if (ready > 0 && items[0].revents)
			return AV_OK;
		if (ready > 0 && read_monitor(link))
			return AV_CLOSED;
		if (left_ms <= 0)
			return AV_TIMEOUT;
	}
}

int link_receive(struct link *link, int64_t deadline_ms, unsigned char **ret_body, size_t *ret_size)
{
	if (!link->zmq && make(link) != AV_OK)
		return AV_MEMORY;
	int status = wait_readable(link, deadline_ms);
	if (status != AV_OK)
		return status;
	zmq_msg_t part;
	zmq_msg_init(&part);
	do {
		if (zmq_msg_recv(&part, link->zmq, ZMQ_DONTWAIT) < 0) {
			status = errno == EAGAIN || errno == EINTR ? AV_TIMEOUT : AV_INTERNAL;
			break;
		}
	} while (zmq_msg_more(&part));
	if (status == AV_OK) {
		size_t size = zmq_msg_size(&part);
		unsigned char *body = malloc(size + 1);
		if (body) {
			memcpy(body, zmq_msg_data(&part), size);
			*ret_body = body;
			*ret_size = size;
		} else {
			status = AV_MEMORY;
		}
	}
	zmq_msg_close(&part);
	return status;
}

ProtobufCMessage *link_unpack(const ProtobufCMessageDescriptor *type, const void *body, size_t size)
{
	AV_CLEANUP(av_arena_destroy)
	struct av_arena *arena = av_arena_create(1024 * 1024);
	struct av_faults faults;
	if (!arena)
		return NULL;
	av_faults_init(&faults, arena);
	if (av_wire_scan(type, av_bytes(body, size), LINK_LIMITS, &faults) != AV_OK)
		return NULL;
	return protobuf_c_message_unpack(type, NULL, size, body);
}
