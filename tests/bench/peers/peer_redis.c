/* peer_redis.c - Redis Streams: XADD pipelined, XREAD at the other end. hiredis (whose version in
 * Debian 12 has no TLS) makes the commands and reads the replies; stream.c carries them.
 *
 *	--port N [--ca FILE]
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "stream.h"

struct line {
	struct stream *stream;
	redisReader *reader;
	unsigned int publisher;
	uint64_t taken, sent, answered;
	char last[48]; /* the consumer's position */
};

static void close_line(void *at)
{
	struct line *line = at;
	stream_close(line->stream);
	redisReaderFree(line->reader);
	free(line);
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	static const char head[] = "*5\r\n$4\r\nXADD\r\n$1\r\ns\r\n$1\r\n*\r\n$1\r\nb\r\n$1024\r\n";
	stream_put(line->stream, head, sizeof head - 1);
	stream_put(line->stream, driver_body(line->publisher, number), BODY_SIZE);
	stream_put(line->stream, "\r\n", 2);
	line->taken++;
	return true;
}

static bool flush(struct line *line)
{
	return stream_send(line->stream) || driver_failed("send", "the connection has ended");
}

/* The server takes at most 16 KiB, and of TLS one record, from a connection before it syncs: what would go in
 * small pieces is collected, or each piece would cost it a sync. */
static bool send_line(void *at)
{
	struct line *line = at;
	uint64_t piece = (uint64_t)driver_number("in-flight", 1) / 2;
	piece = piece > 15 ? 15 : piece;
	if (line->taken - line->sent < piece && line->sent != line->answered)
		return true;
	line->sent = line->taken;
	return flush(line);
}

/* Feeds the reader with what has arrived. */
static bool feed(struct line *line)
{
	static char buffer[1 << 18];
	long size;
	while ((size = stream_take(line->stream, buffer, sizeof buffer)) > 0)
		redisReaderFeed(line->reader, buffer, (size_t)size);
	return size == 0 || driver_failed("receive", "the connection has ended");
}

static bool take(void *at)
{
	struct line *line = at;
	redisReply *reply = NULL;
	if (!feed(line))
		return false;
	while (true) {
		if (redisReaderGetReply(line->reader, (void **)&reply) != REDIS_OK)
			return driver_failed("reply", line->reader->errstr);
		if (!reply)
			return true;
		if (reply->type == REDIS_REPLY_ERROR)
			return driver_failed("reply", reply->str);
		freeReplyObject(reply);
		driver_acknowledged(line->publisher, line->answered++, true);
	}
}

static struct pollfd wants(void *at)
{
	return stream_wants(((struct line *)at)->stream);
}

/* --- one command at a time */

/* Sends what is in the buffer and waits for the next reply; an error is one. */
static bool answer(struct line *line, redisReply **ret_reply)
{
	*ret_reply = NULL;
	while (true) {
		if (!flush(line) || !feed(line))
			return false;
		if (redisReaderGetReply(line->reader, (void **)ret_reply) != REDIS_OK)
			return driver_failed("reply", line->reader->errstr);
		if (*ret_reply)
			return true;
		struct pollfd poll_it = wants(line);
		poll(&poll_it, 1, 1000);
	}
}

static bool call(struct line *line, const char *text, redisReply **ret_reply)
{
	char *command;
	int size = redisFormatCommand(&command, text);
	if (size < 0)
		return driver_failed("command", text);
	stream_put(line->stream, command, (size_t)size);
	redisFreeCommand(command);
	if (!answer(line, ret_reply))
		return false;
	return (*ret_reply)->type != REDIS_REPLY_ERROR || driver_failed(text, (*ret_reply)->str);
}

/* A server that has just started refuses everything until it has loaded its file. */
static bool loaded(struct line *line)
{
	redisReply *reply;
	stream_put(line->stream, "PING\r\n", 6);
	if (!answer(line, &reply))
		return false;
	bool good = reply->type != REDIS_REPLY_ERROR;
	freeReplyObject(reply);
	return good;
}

static void *open_line(unsigned int publisher)
{
	const char *why = "";
	struct line *line = calloc(1, sizeof *line);
	if (!line || !(line->reader = redisReaderCreate()))
		exit(1);
	line->publisher = publisher;
	line->stream = stream_open((int)driver_number("port", 0), driver_word("ca", NULL), &why);
	if (line->stream && loaded(line))
		return line;
	if (!driver_word("patience", NULL))
		driver_failed("connect", why);
	if (line->stream)
		stream_close(line->stream);
	redisReaderFree(line->reader);
	free(line);
	return NULL;
}

static bool prepare(void)
{
	struct line *line = open_line(0);
	redisReply *reply;
	if (!line || !call(line, "DEL s", &reply))
		return false;
	freeReplyObject(reply);
	close_line(line);
	return true;
}

static void *consume(void)
{
	struct line *line = open_line(0);
	if (line)
		snprintf(line->last, sizeof line->last, "0");
	return line;
}

/* XREAD after the position that the consumer keeps itself: what costs the server least. */
static bool receive(void *at, unsigned int room)
{
	struct line *line = at;
	char command[128];
	redisReply *reply;
	snprintf(command, sizeof command, "XREAD COUNT %u BLOCK 100 STREAMS s %s", room, line->last);
	if (!call(line, command, &reply))
		return false;
	if (reply->type ==
		REDIS_REPLY_ARRAY) { /* [[stream, [[id, [field, value]], …]]]; nil when time is over */
		redisReply *entries = reply->element[0]->element[1];
		for (size_t i = 0; i < entries->elements; i++) {
			redisReply *id = entries->element[i]->element[0],
				   *body = entries->element[i]->element[1]->element[1];
			snprintf(line->last, sizeof line->last, "%s", id->str);
			consumer_put(id->str, (size_t)id->len, body->str, (size_t)body->len);
		}
	}
	freeReplyObject(reply);
	return true;
}

const struct peer peer = {
	.name = "redis",
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
