/* load.c - the load that both Avvik and its floor take: packed FileReport commands of 1 KiB on a DEALER
 *socket with CURVE, a stated number in flight, each with a reference of its own. Prints one line of JSON:
 *messages a second, latencies, refusals.
 *
 *	load --endpoint tcp://… --server-key Z85 --public Z85 --secret Z85 --count N --in-flight N [--unit
 *CODE] [--prefix TEXT]
 *	     [--lex-sarah] [--plain]
 */
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

#include "avvik/v1/command.pb-c.h"

#define SIZE 1024
#define STATUS_FIELD 1 /* of Reply */
#define MESSAGE_ID_FIELD 3

static int64_t now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t wall_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A report whose packed command is SIZE bytes: the description takes what is left. */
static size_t command_pack(
	uint8_t *to, size_t room, const char *prefix, uint64_t number, const char *unit, bool lex_sarah)
{
	static char text[SIZE];
	char reference[64], id[32];
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;
	Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	int64_t now = wall_ms();

	snprintf(reference, sizeof reference, "%s-%08llu", prefix, (unsigned long long)number);
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
	size_t fill = empty + 6 < SIZE ? SIZE - empty - 6 : 1;
	memset(text, 'a', fill);
	size_t size = avvik__v1__command__get_packed_size(&command);
	if (size > room)
		exit(1);
	return avvik__v1__command__pack(&command, to);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
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

int main(int argc, char **argv)
{
	const char *endpoint = NULL, *server_key = "", *own_public = "", *own_secret = "", *unit = "",
		   *prefix = "bench";
	long count = 1000, in_flight = 1;
	bool plain = false, lex_sarah = false;
	static const struct option words[] = {{"endpoint", 1, 0, 'e'}, {"server-key", 1, 0, 'k'},
		{"public", 1, 0, 'p'}, {"secret", 1, 0, 's'}, {"count", 1, 0, 'c'}, {"in-flight", 1, 0, 'i'},
		{"unit", 1, 0, 'u'}, {"prefix", 1, 0, 'x'}, {"plain", 0, 0, 'q'}, {"lex-sarah", 0, 0, 'l'},
		{0, 0, 0, 0}};
	int word;
	while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
		switch (word) {
		case 'e':
			endpoint = optarg;
			break;
		case 'k':
			server_key = optarg;
			break;
		case 'p':
			own_public = optarg;
			break;
		case 's':
			own_secret = optarg;
			break;
		case 'c':
			count = strtol(optarg, NULL, 10);
			break;
		case 'i':
			in_flight = strtol(optarg, NULL, 10);
			break;
		case 'u':
			unit = optarg;
			break;
		case 'x':
			prefix = optarg;
			break;
		case 'q':
			plain = true;
			break;
		case 'l':
			lex_sarah = true;
			break;
		default:
			return 2;
		}
	}
	if (!endpoint || count < 1 || in_flight < 1)
		return 2;

	void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_DEALER);
	int hwm = 1000000, timeout = 20000, linger = 0;
	if (*server_key) {
		zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, strlen(server_key) + 1);
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own_public, strlen(own_public) + 1);
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own_secret, strlen(own_secret) + 1);
	}
	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
	if (zmq_connect(socket, endpoint) != 0)
		return 1;

	int64_t *sent = calloc((size_t)count, sizeof *sent), *took = calloc((size_t)count, sizeof *took);
	uint8_t buffer[4 * SIZE];
	long under_way = 0, next = 0, done = 0, refused = 0, size = 0;
	zmq_msg_t message;
	zmq_msg_init(&message);
	int64_t start = now_us();
	while (done < count) {
		while (under_way < in_flight && next < count) {
			size = (long)command_pack(
				buffer, sizeof buffer, prefix, (uint64_t)next, unit, lex_sarah);
			sent[next++] = now_us();
			zmq_send(socket, "", 0, ZMQ_SNDMORE);
			if (zmq_send(socket, buffer, (size_t)size, 0) < 0)
				return 1;
			under_way++;
		}
		do {
			if (zmq_msg_recv(&message, socket, 0) < 0) {
				fprintf(stderr, "load: no reply in 20 s after %ld of %ld\n", done, count);
				return 1;
			}
		} while (zmq_msg_more(&message));
		long of = done; /* the floor answers in order */
		if (!plain) {
			struct answer answer;
			if (!answer_read(zmq_msg_data(&message), zmq_msg_size(&message), &answer))
				return 1;
			of = answer.number;
			if (answer.status != AVVIK__V1__REPLY_STATUS__REPLY_STATUS_DONE && refused++ == 0)
				fprintf(stderr, "load: refused with status %d\n", answer.status);
		}
		if (of >= 0 && of < count)
			took[of] = now_us() - sent[of];
		done++;
		under_way--;
	}
	double seconds = (double)(now_us() - start) / 1e6;
	qsort(took, (size_t)count, sizeof *took, compare);
	printf("{\"count\": %ld, \"in_flight\": %ld, \"bytes\": %ld, \"seconds\": %.3f, \"per_second\": "
	       "%.0f, \"median_us\": %lld, \"p99_us\": "
	       "%lld, \"refused\": %ld}\n",
		count, in_flight, size, seconds, (double)count / seconds, (long long)took[count / 2],
		(long long)took[count * 99 / 100], refused);
	free(sent);
	free(took);
	zmq_msg_close(&message);
	zmq_close(socket);
	zmq_ctx_term(context);
	return refused ? 3 : 0;
}
