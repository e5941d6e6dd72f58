/* peer_zmq.c - Avvik's intake, and the bare floor that takes the same commands: packed FileReport commands of
 * 1 KiB on DEALER sockets with CURVE, each with a reference of its own. The consumer is a sink on libavvik.
 *
 *	--endpoint tcp://… [--server-key Z85 --public Z85 --secret Z85] [--unit CODE] [--prefix TEXT]
 *	[--lex-sarah] [--plain: beside the floor, which answers in order]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <avvik/client.h>
#include <zmq.h>

#include "base/status.h"
#include "driver.h"

#define STATUS_FIELD 1 /* of Reply */
#define MESSAGE_ID_FIELD 3

struct line {
	void *socket;
	unsigned int publisher;
	uint64_t answered; /* in order, by the floor */
};

static const char *const flags[] = {"lex-sarah", "plain", NULL};
static void *context;
static bool plain, lex_sarah;
static const char *prefix, *unit;

/* A report whose packed command is BODY_SIZE bytes: the description takes what is left. */
static size_t command_pack(uint8_t *to, size_t room, unsigned int publisher, uint64_t number)
{
	static char text[BODY_SIZE];
	char reference[96], id[32];
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	int64_t now = driver_wall_us() / 1000;

	snprintf(reference, sizeof reference, "%s-%u-%08llu", prefix, publisher, (unsigned long long)number);
	snprintf(id, sizeof id, "%llu", (unsigned long long)number);
	command.reference = reference;
	command.message_id = id;
	command.sent_at_ms = now;
	command.body_case = AVVIK__V1__COMMAND__BODY_FILE_REPORT;
	command.file_report = &report;
	report.type = lex_sarah ? AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH
				: AVVIK__V1__REPORT_TYPE__REPORT_TYPE_DEVIATION;
	report.unit = (char *)unit;
	report.concerns = AVVIK__V1__CONCERNS__CONCERNS_ONE_PERSON;
	report.occurred_from_at_ms = now - 7200000;
	report.noticed_at_ms = now - 3600000;
	report.channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report.laws = laws;
	report.n_laws = 1;
	report.category = (char *)"UTF";
	report.narrative = &narrative;
	report.reporter = &reporter;
	reporter.name = (char *)"Provrapportör Ett";
	reporter.role = (char *)"undersköterska";
	reporter.mail = (char *)"prov@lindaker.example";
	narrative.description = text;
	memset(text, 0, sizeof text);
	size_t empty = avvik__v1__command__get_packed_size(&command);
	size_t fill = empty + 6 < BODY_SIZE ? BODY_SIZE - empty - 6 : 1;
	memset(text, 'a', fill);
	size_t size = avvik__v1__command__get_packed_size(&command);
	if (size > room)
		exit(1);
	return avvik__v1__command__pack(&command, to);
}

struct answer {
	int status;
	long number; /* the message id */
};

static bool varint(const uint8_t **at, const uint8_t *end, uint64_t *ret_value)
{
	uint64_t value = 0;
	for (unsigned int shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t byte = *(*at)++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret_value = value;
			return true;
		}
	}
	return false;
}

/* Status and message id of a packed Reply. The rest is passed over, so that the client takes as little of the
 * machine as it does beside the floor. */
static bool answer_read(const uint8_t *at, size_t size, struct answer *ret_answer)
{
	const uint8_t *end = at + size;
	*ret_answer = (struct answer){0, -1};
	while (at < end) {
		char text[24] = "";
		uint64_t tag, value;
		if (!varint(&at, end, &tag) || !varint(&at, end, &value))
			return false;
		if (tag == (STATUS_FIELD << 3 | 0))
			ret_answer->status = (int)value;
		if ((tag & 7) == 0)
			continue;
		if ((tag & 7) != 2 || value > (uint64_t)(end - at))
			return false;
		if (tag == (MESSAGE_ID_FIELD << 3 | 2) && value < sizeof text) {
			memcpy(text, at, value);
			ret_answer->number = strtol(text, NULL, 10);
		}
		at += value;
	}
	return ret_answer->number >= 0;
}

static void *open_line(unsigned int publisher)
{
	const char *server_key = driver_word("server-key", ""), *own_public = driver_word("public", ""),
		   *own_secret = driver_word("secret", "");
	int hwm = 1000000, linger = 0, again_ms = 5;
	struct line *line = calloc(1, sizeof *line);

	plain = driver_word("plain", NULL) != NULL;
	lex_sarah = driver_word("lex-sarah", NULL) != NULL;
	prefix = driver_word("prefix", "bench");
	unit = driver_word("unit", "");
	if (!context)
		context = zmq_ctx_new();
	if (!line || !(line->socket = zmq_socket(context, ZMQ_DEALER)))
		exit(1);
	line->publisher = publisher;
	if (*server_key) {
		zmq_setsockopt(line->socket, ZMQ_CURVE_SERVERKEY, server_key, strlen(server_key) + 1);
		zmq_setsockopt(line->socket, ZMQ_CURVE_PUBLICKEY, own_public, strlen(own_public) + 1);
		zmq_setsockopt(line->socket, ZMQ_CURVE_SECRETKEY, own_secret, strlen(own_secret) + 1);
	}
	zmq_setsockopt(line->socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(line->socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
	zmq_setsockopt(line->socket, ZMQ_LINGER, &linger, sizeof linger);
	zmq_setsockopt(line->socket, ZMQ_RECONNECT_IVL, &again_ms, sizeof again_ms);
	if (zmq_connect(line->socket, driver_word("endpoint", "")) != 0) {
		driver_failed("connect", zmq_strerror(zmq_errno()));
		exit(1);
	}
	return line;
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	uint8_t buffer[4 * BODY_SIZE];
	size_t size = command_pack(buffer, sizeof buffer, line->publisher, number);
	zmq_send(line->socket, "", 0, ZMQ_SNDMORE);
	return zmq_send(line->socket, buffer, size, 0) >= 0 ||
	       driver_failed("send", zmq_strerror(zmq_errno()));
}

static bool take(void *at)
{
	struct line *line = at;
	zmq_msg_t message;
	zmq_msg_init(&message);
	while (zmq_msg_recv(&message, line->socket, ZMQ_DONTWAIT) >= 0) {
		struct answer answer = {AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE, 0};
		if (zmq_msg_more(&message))
			continue;
		if (plain)
			answer.number = (long)line->answered++;
		else if (!answer_read(zmq_msg_data(&message), zmq_msg_size(&message), &answer))
			return driver_failed("reply", "not one");
		bool good = answer.status == AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE;
		if (!good)
			fprintf(stderr, "%s: refused with status %d\n", peer.name, answer.status);
		driver_acknowledged(line->publisher, (uint64_t)answer.number, good);
	}
	zmq_msg_close(&message);
	return true;
}

static bool wait_any(void **lines, unsigned int count, int timeout_ms)
{
	zmq_pollitem_t polls[64];
	for (unsigned int i = 0; i < count; i++)
		polls[i] = (zmq_pollitem_t){((struct line *)lines[i])->socket, 0, ZMQ_POLLIN, 0};
	return zmq_poll(polls, (int)count, timeout_ms) >= 0;
}

static void close_line(void *at)
{
	struct line *line = at;
	zmq_close(line->socket);
	free(line);
}

/* --- the consumer: a sink on libavvik */

struct source {
	struct av_feed *feed;
	Avvik__V1__FeedReply *reply; /* the batch that is being stored; its cursor is the position */
};

static void *consume(void)
{
	struct source *source = calloc(1, sizeof *source);
	struct av_client_options options = {driver_word("feed", ""), driver_word("server-key", ""),
		driver_word("public", ""), driver_word("secret", ""), 10000};
	if (!source || av_feed_open(&options, &source->feed) < 0) {
		driver_failed("feed", "not to be opened");
		exit(1);
	}
	return source;
}

static bool receive(void *at, unsigned int room)
{
	struct source *source = at;
	Avvik__V1__FeedReply *reply = NULL;
	const Avvik__V1__Cursor *after = source->reply ? source->reply->batch->reached : NULL;
	int error = av_feed_next(source->feed, after, room, 1000, &reply);
	if (error < 0) {
		if (reply)
			driver_failed("feed", reply->refusal ? reply->refusal->text : "refused");
		return error == AV_TIMEOUT || error == AV_BUSY;
	}
	if (source->reply)
		avvik__v1__feed_reply__free_unpacked(source->reply, NULL);
	source->reply = reply;
	uint8_t position[256];
	size_t size = avvik__v1__cursor__get_packed_size(reply->batch->reached);
	if (size > sizeof position)
		return driver_failed("cursor", "too long");
	avvik__v1__cursor__pack(reply->batch->reached, position);
	for (size_t i = 0; i < reply->batch->n_items; i++) {
		const ProtobufCBinaryData *event = &reply->batch->items[i]->event;
		consumer_put(position, size, event->data, event->len);
	}
	return true;
}

static void leave(void *at)
{
	struct source *source = at;
	if (source->reply)
		avvik__v1__feed_reply__free_unpacked(source->reply, NULL);
	av_feed_close(&source->feed);
	free(source);
}

const struct peer peer = {
	.name = "avvik",
	.flags = flags,
	.open = open_line,
	.publish = publish,
	.take = take,
	.wait = wait_any,
	.close = close_line,
	.consume = consume,
	.receive = receive,
	.leave = leave,
};
