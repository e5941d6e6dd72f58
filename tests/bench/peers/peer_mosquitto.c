/* peer_mosquitto.c - Mosquitto over libmosquitto, QoS 1, to a topic with a persistent session: what is
 * published is kept for it. libmosquitto acknowledges a message when the callback returns, so the consumer
 * stores its batch after that: less than what is asked of the others.
 *
 *	--port N [--ca FILE]
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

struct line {
	struct mosquitto *session;
	unsigned int publisher;
	uint64_t numbers[65536]; /* by message id */
	bool connected, subscribed;
	unsigned int received;
	uint64_t position;
};

static bool need(int error, const char *what)
{
	return error == MOSQ_ERR_SUCCESS || driver_failed(what, mosquitto_strerror(error));
}

static void on_published(struct mosquitto *session, void *at, int id)
{
	struct line *line = at;
	(void)session;
	driver_acknowledged(line->publisher, line->numbers[id], true);
}

static void on_connected(struct mosquitto *session, void *at, int code)
{
	(void)session;
	((struct line *)at)->connected = code == 0;
}

static void on_subscribed(struct mosquitto *session, void *at, int id, int count, const int *granted)
{
	(void)session, (void)id, (void)count, (void)granted;
	((struct line *)at)->subscribed = true;
}

static void on_message(struct mosquitto *session, void *at, const struct mosquitto_message *message)
{
	struct line *line = at;
	(void)session;
	line->position++;
	line->received++;
	consumer_put(&line->position, sizeof line->position, message->payload, (size_t)message->payloadlen);
}

static void close_line(void *at)
{
	struct line *line = at;
	mosquitto_disconnect(line->session);
	mosquitto_destroy(line->session);
	free(line);
}

static struct line *connected(unsigned int publisher, const char *id, bool clean)
{
	struct line *line = calloc(1, sizeof *line);
	const char *ca = driver_word("ca", NULL);
	mosquitto_lib_init();
	if (!line || !(line->session = mosquitto_new(id, clean, line)))
		exit(1);
	line->publisher = publisher;
	mosquitto_max_inflight_messages_set(line->session, 0);
	mosquitto_int_option(line->session, MOSQ_OPT_TCP_NODELAY, 1);
	mosquitto_connect_callback_set(line->session, on_connected);
	mosquitto_publish_callback_set(line->session, on_published);
	mosquitto_subscribe_callback_set(line->session, on_subscribed);
	mosquitto_message_callback_set(line->session, on_message);
	if (ca && !need(mosquitto_tls_set(line->session, ca, NULL, NULL, NULL, NULL), "tls"))
		exit(1);
	int error = mosquitto_connect(line->session, "127.0.0.1", (int)driver_number("port", 0), 3600);
	while (error == MOSQ_ERR_SUCCESS && !line->connected)
		error = mosquitto_loop(line->session, 1000, 1);
	if (error == MOSQ_ERR_SUCCESS)
		return line;
	if (!driver_word("patience", NULL))
		need(error, "connect");
	mosquitto_destroy(line->session);
	free(line);
	return NULL;
}

static void *consume(void)
{
	struct line *line = connected(0, "sink", false);
	while (line && !line->subscribed) {
		mosquitto_subscribe(line->session, NULL, "s", 1);
		for (int i = 0; i < 20 && !line->subscribed; i++)
			if (!need(mosquitto_loop(line->session, 100, 1), "subscribe"))
				return NULL;
	}
	return line;
}

static bool prepare(void)
{
	struct line *line = connected(0, "sink", true); /* ends the session with all that was kept for it */
	if (!line)
		return false;
	close_line(line);
	line = consume();
	if (line)
		close_line(line);
	return line != NULL;
}

static void *open_line(unsigned int publisher)
{
	return connected(publisher, NULL, true);
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	static int next_of[64];
	int id;
	/* The callback may come before publish returns the id: ids are given one after the other. */
	line->numbers[next_of[line->publisher] % 65535 + 1] = number;
	if (!need(mosquitto_publish(
			  line->session, &id, "s", BODY_SIZE, driver_body(line->publisher, number), 1, false),
		    "publish"))
		return false;
	line->numbers[id] = number;
	next_of[line->publisher] = id;
	return true;
}

static bool send_line(void *at)
{
	struct line *line = at;
	return !mosquitto_want_write(line->session) || need(mosquitto_loop_write(line->session, 1), "send");
}

static bool take(void *at)
{
	struct line *line = at;
	return need(mosquitto_loop_read(line->session, 1), "receive");
}

static struct pollfd wants(void *at)
{
	struct line *line = at;
	short events = POLLIN;
	if (mosquitto_want_write(line->session))
		events |= POLLOUT;
	return (struct pollfd){mosquitto_socket(line->session), events, 0};
}

static bool receive(void *at, unsigned int room)
{
	struct line *line = at;
	line->received = 0;
	while (line->received < room) {
		struct pollfd poll_it = wants(line);
		unsigned int before = line->received;
		if (poll(&poll_it, 1, before ? 0 : 100) < 0)
			return false;
		if (!take(line) || !send_line(line))
			return false;
		if (line->received == before)
			break;
	}
	return true;
}

const struct peer peer = {
	.name = "mosquitto",
	.prepare = prepare,
	.open = open_line,
	.publish = publish,
	.send = send_line,
	.take = take,
	.wants = wants,
	.close = close_line,
	.consume = consume,
	.receive = receive,
	.leave = close_line,
};
