/* stream.c - the XPUB socket: who may subscribe to what.
 *
 * XPUB_MANUAL hands each subscription over, and ZMQ_SUBSCRIBE puts it in force for the connection it came
 * from. Taking one back is possible only for the connection that sent the last message, so when rights shrink
 * the socket is closed and bound again: ZeroMQ's subscribers come back by themselves, and subscribe again
 * under the rights of that time.
 *
 * A SUB socket sends nothing but subscriptions. XPUB would take any other message from a hand-made peer too,
 * and count it as a subscription when it pairs subscriptions with connections: the next one would be put in
 * force for another connection than its own. Such a message is met here before that, closes all, and bars the
 * key for a minute.
 */
#include <zmq.h>
#include "base/status.h"
#include "bus/bus_internal.h"

#define SUBSCRIPTIONS_PER_MINUTE 4096 /* of one key; refused ones cost memory until the connection ends */
#define MINUTE_MS 60000

static void close_now(struct av_socket *socket)
{
	if (socket->pump) {
		int linger = 0;
		zmq_setsockopt(socket->pump->zmq, ZMQ_LINGER, &linger, sizeof(linger));
		zmq_socket_monitor(socket->pump->zmq, NULL, 0);
	}
	pump_close(&socket->monitor);
	pump_close(&socket->pump);
	socket->connections = socket->admitted = socket->failed = 0;
}

static void let_all_go(struct av_socket *socket)
{
	close_now(socket);
	if (!stream_bind_again(socket))
		bus_retry(socket->bus); /* ZeroMQ's thread has yet to close the old one */
}

static void set_validity(struct av_socket *socket)
{
	struct av_bus *bus = socket->bus;
	socket->valid_until_ms = INT64_MAX;
	if (bus->principals)
		socket->valid_until_ms = av_principals_expiry(
			bus->principals, AV_MAY_SUMMARY, bus->options.now_ms(bus->options.context));
}

bool stream_bind_again(struct av_socket *socket)
{
	const char *why;
	if (socket_connect(socket, &why) != AV_OK)
		return false;
	set_validity(socket);
	return true;
}

void stream_revalidate(struct av_socket *socket, const struct av_principals *before)
{
	struct av_bus *bus = socket->bus;
	bool narrowed = before && av_principals_narrowed(before, bus->principals, AV_MAY_SUMMARY,
					  bus->options.now_ms(bus->options.context));
	if (narrowed && socket->pump)
		let_all_go(socket);
	else
		set_validity(socket);
}

/* NULL: the message is a subscription or its end, and within bounds. */
static const char *hostile(struct av_socket *socket, zmq_msg_t *msg, const char *key)
{
	const unsigned char *data = zmq_msg_data(msg);
	if (zmq_msg_more(msg) || zmq_msg_size(msg) == 0 || data[0] > 1)
		return "a message that is no subscription, on the stream";
	if (data[0] == 0 || !key[0])
		return NULL;
	struct refusal *entry = bus_refusal(socket->bus, key);
	uint64_t now_ms = uv_now(socket->bus->loop);
	if (now_ms - entry->window_at_ms >= MINUTE_MS) {
		entry->window_at_ms = now_ms;
		entry->subscriptions = 0;
	}
	return ++entry->subscriptions > SUBSCRIPTIONS_PER_MINUTE ? "too many subscriptions in a minute"
								 : NULL;
}

static void subscribe(struct av_socket *socket, const char *key, struct av_bytes topic)
{
	struct av_bus *bus = socket->bus;
	const struct av_principal *principal = av_bus_principal(bus, key);
	if (principal && socket->options.on_subscribe(socket->options.context, principal, topic)) {
		zmq_setsockopt(socket->pump->zmq, ZMQ_SUBSCRIBE, topic.data, topic.size);
		return;
	}
	socket->counts.refused++;
	bus_refuse(bus, key,
		principal ? "a subscription beyond the principal's rights"
			  : "a subscription under a key that is no longer allowed");
}

void stream_drain(struct av_socket *socket)
{
	for (int i = 0; i < DRAIN_AT_ONCE && socket->pump && !socket->pump->empty && !socket->closed &&
			!socket->paused;
		i++) {
		zmq_msg_t msg;
		char key[AV_CURVE_TEXT] = "";
		zmq_msg_init(&msg);
		if (zmq_msg_recv(&msg, socket->pump->zmq, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&msg);
			return;
		}
		const char *user = zmq_msg_gets(&msg, "User-Id"); /* none when a connection ended */
		if (user && strlen(user) < AV_CURVE_TEXT)
			memcpy(key, user, strlen(user) + 1);
		socket->counts.received++;
		const char *why = hostile(socket, &msg, key);
		const unsigned char *data = zmq_msg_data(&msg);
		if (why) {
			socket->counts.broken++;
			bus_bar(socket->bus, key, why);
			let_all_go(socket);
		} else {
			struct av_bytes topic = av_bytes(data + 1, zmq_msg_size(&msg) - 1);
			if (data[0] == 1)
				subscribe(socket, key, topic);
			else
				zmq_setsockopt(socket->pump->zmq, ZMQ_UNSUBSCRIBE, topic.data, topic.size);
		}
		zmq_msg_close(&msg);
	}
}

static bool send_part(struct av_socket *socket, struct av_bytes part, int more)
{
	return zmq_send(socket->pump->zmq, part.data, part.size, ZMQ_DONTWAIT | more) >= 0;
}

int av_socket_publish(struct av_socket *socket, struct av_bytes topic, struct av_bytes body)
{
	struct av_bus *bus = socket->bus;
	if (socket->pump && bus->options.now_ms(bus->options.context) >= socket->valid_until_ms)
		let_all_go(socket);
	if (!socket->pump) {
		socket->counts.dropped++;
		return AV_BUSY;
	}
	pump_wake(socket->pump);
	/* Subscribers that do not read lose it (no XPUB_NODROP): they see the gap, and take a snapshot. */
	if (!send_part(socket, topic, ZMQ_SNDMORE) || !send_part(socket, body, 0)) {
		socket->counts.dropped++;
		return AV_IO;
	}
	socket->counts.sent++;
	return AV_OK;
}
