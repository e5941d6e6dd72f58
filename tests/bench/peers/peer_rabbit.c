/* peer_rabbit.c - RabbitMQ over librabbitmq: persistent messages to a quorum queue with publisher confirms;
 * basic.consume with prefetch, a batch acknowledged at a time, at the other end.
 *
 *	--port N [--ca FILE]
 */
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <stdio.h>
#include <stdlib.h>

#include "driver.h"

#define CHANNEL 1
#define PREFETCH 2000 /* the most that a quorum queue's consumer may have open */

struct line {
	amqp_connection_state_t connection;
	unsigned int publisher;
	uint64_t lowest, next, room; /* not confirmed yet; published */
	unsigned char *confirmed;
	uint64_t last_tag; /* the consumer's batch */
};

static bool good(amqp_rpc_reply_t reply, const char *what)
{
	if (reply.reply_type == AMQP_RESPONSE_NORMAL)
		return true;
	return driver_failed(what, reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION
					   ? amqp_error_string2(reply.library_error)
					   : "refused by the server");
}

static bool connect_line(struct line *line)
{
	const char *ca = driver_word("ca", NULL);
	amqp_socket_t *socket =
		ca ? amqp_ssl_socket_new(line->connection) : amqp_tcp_socket_new(line->connection);
	if (!socket)
		return driver_failed("connect", "no socket");
	if (ca) {
		amqp_ssl_socket_set_verify_peer(socket, 1);
		amqp_ssl_socket_set_verify_hostname(socket, 0);
		if (amqp_ssl_socket_set_cacert(socket, ca) != AMQP_STATUS_OK)
			return driver_failed("connect", ca);
	}
	int error = amqp_socket_open(socket, "127.0.0.1", (int)driver_number("port", 0));
	if (error != AMQP_STATUS_OK)
		return driver_word("patience", NULL) ? false
						     : driver_failed("connect", amqp_error_string2(error));
	if (!good(amqp_login(line->connection, "/", 1, 131072, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
		    "login"))
		return false;
	amqp_channel_open(line->connection, CHANNEL);
	return good(amqp_get_rpc_reply(line->connection), "channel");
}

static void close_line(void *at)
{
	struct line *line = at;
	amqp_connection_close(line->connection, AMQP_REPLY_SUCCESS);
	amqp_destroy_connection(line->connection);
	free(line->confirmed);
	free(line);
}

static struct line *connected(unsigned int publisher)
{
	struct line *line = calloc(1, sizeof *line);
	if (!line || !(line->connection = amqp_new_connection()))
		exit(1);
	line->publisher = publisher;
	if (connect_line(line))
		return line;
	amqp_destroy_connection(line->connection);
	free(line);
	return NULL;
}

static bool prepare(void)
{
	struct line *line = connected(0);
	amqp_table_entry_t entry = {
		.key = amqp_cstring_bytes("x-queue-type"),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes("quorum")},
	};
	amqp_table_t words = {1, &entry};
	if (!line)
		return false;
	amqp_queue_delete(line->connection, CHANNEL, amqp_cstring_bytes("q"), 0, 0);
	if (!good(amqp_get_rpc_reply(line->connection), "delete"))
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the program ends with it */
		return false;
	amqp_queue_declare(line->connection, CHANNEL, amqp_cstring_bytes("q"), 0, 1, 0, 0, words);
	bool made = good(amqp_get_rpc_reply(line->connection), "declare");
	close_line(line);
	return made;
}

static void *open_line(unsigned int publisher)
{
	struct line *line = connected(publisher);
	if (!line)
		return NULL;
	amqp_confirm_select(line->connection, CHANNEL);
	if (good(amqp_get_rpc_reply(line->connection), "confirms"))
		return line;
	close_line(line);
	return NULL;
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG, .delivery_mode = 2};
	amqp_bytes_t body = {BODY_SIZE, (void *)(uintptr_t)driver_body(line->publisher, number)};
	if (line->next == line->room) {
		line->room = line->room ? line->room * 2 : 65536;
		line->confirmed = realloc(line->confirmed, line->room);
		if (!line->confirmed)
			exit(1);
	}
	line->confirmed[line->next++] = 0;
	int error = amqp_basic_publish(line->connection, CHANNEL, amqp_empty_bytes, amqp_cstring_bytes("q"),
		0, 0, &properties, body);
	return error == AMQP_STATUS_OK || driver_failed("publish", amqp_error_string2(error));
}

static void confirm(struct line *line, uint64_t number, bool kept)
{
	if (number < line->next && !line->confirmed[number]) {
		line->confirmed[number] = 1;
		driver_acknowledged(line->publisher, number, kept);
	}
	while (line->lowest < line->next && line->confirmed[line->lowest])
		line->lowest++;
}

static bool take(void *at)
{
	struct line *line = at;
	struct timeval at_once = {0, 0};
	amqp_frame_t frame;
	int error;
	while ((error = amqp_simple_wait_frame_noblock(line->connection, &frame, &at_once)) ==
		AMQP_STATUS_OK) {
		if (frame.frame_type != AMQP_FRAME_METHOD)
			continue;
		bool kept = frame.payload.method.id == AMQP_BASIC_ACK_METHOD;
		if (!kept && frame.payload.method.id != AMQP_BASIC_NACK_METHOD)
			return driver_failed("confirm", "the server closes the channel");
		const amqp_basic_ack_t *ack = frame.payload.method.decoded; /* a nack begins alike */
		uint64_t number = ack->delivery_tag - 1;
		for (uint64_t i = ack->multiple ? line->lowest : number; i <= number; i++)
			confirm(line, i, kept);
		amqp_maybe_release_buffers(line->connection);
	}
	return error == AMQP_STATUS_TIMEOUT || driver_failed("receive", amqp_error_string2(error));
}

static struct pollfd wants(void *at)
{
	return (struct pollfd){amqp_get_sockfd(((struct line *)at)->connection), POLLIN, 0};
}

/* --- the consumer */

static void *consume(void)
{
	struct line *line = connected(0);
	if (!line)
		return NULL;
	amqp_basic_qos(line->connection, CHANNEL, 0, PREFETCH, 0);
	amqp_basic_consume(line->connection, CHANNEL, amqp_cstring_bytes("q"), amqp_empty_bytes, 0, 0, 0,
		amqp_empty_table);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): without it the program ends */
	return good(amqp_get_rpc_reply(line->connection), "consume") ? line : NULL;
}

static bool receive(void *at, unsigned int room)
{
	struct line *line = at;
	for (unsigned int i = 0; i < room; i++) {
		struct timeval patience = {0, i ? 0 : 100000};
		amqp_envelope_t envelope;
		amqp_maybe_release_buffers(line->connection);
		amqp_rpc_reply_t reply = amqp_consume_message(line->connection, &envelope, &patience, 0);
		if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
			reply.library_error == AMQP_STATUS_TIMEOUT)
			return true;
		if (!good(reply, "receive"))
			return false;
		line->last_tag = envelope.delivery_tag;
		consumer_put(&line->last_tag, sizeof line->last_tag, envelope.message.body.bytes,
			envelope.message.body.len);
		amqp_destroy_envelope(&envelope);
	}
	return true;
}

static bool accept_batch(void *at, uint64_t stored)
{
	struct line *line = at;
	(void)stored;
	return amqp_basic_ack(line->connection, CHANNEL, line->last_tag, 1) == AMQP_STATUS_OK ||
	       driver_failed("acknowledge", "the connection has ended");
}

const struct peer peer = {
	.name = "rabbit",
	.prepare = prepare,
	.open = open_line,
	.publish = publish,
	.take = take,
	.wants = wants,
	.close = close_line,
	.consume = consume,
	.receive = receive,
	.accept = accept_batch,
	.leave = close_line,
};
