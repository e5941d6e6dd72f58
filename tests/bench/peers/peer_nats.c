/* peer_nats.c - NATS JetStream over libnats: asynchronous publishing to a stream in files; a durable pull
 * consumer at the other end. The library acknowledges in threads of its own: they hand over through a queue.
 *
 *	--url nats://… [--ca FILE]
 */
#include <nats/nats.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "driver.h"

#define QUEUE 65536

struct line {
	natsOptions *options;
	natsConnection *connection;
	jsCtx *stream;
	unsigned int publisher;
	int event;
	pthread_mutex_t lock;
	uint64_t acknowledged[QUEUE]; /* number << 1 | good */
	unsigned int count;
	natsSubscription *subscription;
	natsMsg *last;
};

static bool need(natsStatus status, const char *what)
{
	return status == NATS_OK || driver_failed(what, natsStatus_GetText(status));
}

static void on_acknowledged(jsCtx *stream, natsMsg *message, jsPubAck *ack, jsPubAckErr *error, void *closure)
{
	struct line *line = closure;
	uint64_t number;
	(void)stream, (void)error;
	memcpy(&number, natsMsg_GetData(message), sizeof number);
	natsMsg_Destroy(message);
	pthread_mutex_lock(&line->lock);
	bool first = line->count == 0;
	if (line->count < QUEUE)
		line->acknowledged[line->count++] = number << 1 | (ack != NULL);
	pthread_mutex_unlock(&line->lock);
	if (first && eventfd_write(line->event, 1) != 0)
		driver_failed("event", "not written");
}

static void close_line(void *at)
{
	struct line *line = at;
	natsSubscription_Destroy(line->subscription);
	jsCtx_Destroy(line->stream);
	natsConnection_Destroy(line->connection);
	natsOptions_Destroy(line->options);
	close(line->event);
	free(line);
}

static bool connect_line(struct line *line)
{
	const char *ca = driver_word("ca", NULL);
	jsOptions words;
	if (!need(natsOptions_Create(&line->options), "options") ||
		!need(natsOptions_SetURL(line->options, driver_word("url", "")), "url"))
		return false;
	if (ca && (!need(natsOptions_LoadCATrustedCertificates(line->options, ca), "ca") ||
			  !need(natsOptions_SetSecure(line->options, true), "tls")))
		return false;
	if (driver_number("in-flight", 1) == 1) /* nothing to collect: no detour by the flusher's thread */
		natsOptions_SetSendAsap(line->options, true);
	natsOptions_UseGlobalMessageDelivery(line->options, true);
	natsStatus status = natsConnection_Connect(&line->connection, line->options);
	if (status != NATS_OK)
		return driver_word("patience", NULL) ? false : need(status, "connect");
	jsOptions_Init(&words);
	words.PublishAsync.AckHandler = on_acknowledged;
	words.PublishAsync.AckHandlerClosure = line;
	return need(natsConnection_JetStream(&line->stream, line->connection, &words), "jetstream");
}

static void *open_line(unsigned int publisher)
{
	struct line *line = calloc(1, sizeof *line);
	if (!line || (line->event = eventfd(0, EFD_NONBLOCK)) < 0)
		exit(1);
	line->publisher = publisher;
	pthread_mutex_init(&line->lock, NULL);
	if (connect_line(line))
		return line;
	close_line(line);
	return NULL;
}

static bool prepare(void)
{
	struct line *line = open_line(0);
	const char *subjects[] = {"s"};
	jsStreamConfig config;
	if (!line)
		return false;
	js_DeleteStream(line->stream, "s", NULL, NULL); /* when there is one */
	jsStreamConfig_Init(&config);
	config.Name = "s";
	config.Subjects = subjects;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	bool good = need(js_AddStream(NULL, line->stream, &config, NULL, NULL), "stream");
	close_line(line);
	return good;
}

static bool publish(void *at, uint64_t number)
{
	struct line *line = at;
	return need(js_PublishAsync(line->stream, "s", driver_body(line->publisher, number), BODY_SIZE, NULL),
		"publish");
}

static bool take(void *at)
{
	struct line *line = at;
	static uint64_t taken[QUEUE];
	eventfd_t value;
	eventfd_read(line->event, &value); /* before what it tells of is taken */
	pthread_mutex_lock(&line->lock);
	unsigned int count = line->count;
	memcpy(taken, line->acknowledged, count * sizeof *taken);
	line->count = 0;
	pthread_mutex_unlock(&line->lock);
	for (unsigned int i = 0; i < count; i++)
		driver_acknowledged(line->publisher, taken[i] >> 1, taken[i] & 1);
	return true;
}

static struct pollfd wants(void *at)
{
	return (struct pollfd){((struct line *)at)->event, POLLIN, 0};
}

/* --- the consumer */

static void *consume(void)
{
	struct line *line = open_line(0);
	jsSubOptions words;
	if (!line)
		return NULL;
	jsSubOptions_Init(&words);
	words.ManualAck = true;
	words.Config.AckPolicy = js_AckAll; /* a batch at a time */
	words.Config.MaxAckPending = 100000;
	if (!need(js_PullSubscribe(&line->subscription, line->stream, "s", "c", NULL, &words, NULL),
		    "subscribe"))
		return NULL;
	return line;
}

static bool receive(void *at, unsigned int room)
{
	struct line *line = at;
	natsMsgList list = {0};
	natsStatus status = natsSubscription_Fetch(&list, line->subscription, (int)room, 100, NULL);
	if (status == NATS_TIMEOUT)
		return true;
	if (!need(status, "fetch"))
		return false;
	for (int i = 0; i < list.Count; i++) {
		const char *position = natsMsg_GetReply(list.Msgs[i]); /* names consumer and sequence */
		consumer_put(position, strlen(position), natsMsg_GetData(list.Msgs[i]),
			(size_t)natsMsg_GetDataLength(list.Msgs[i]));
	}
	line->last = list.Msgs[list.Count - 1];
	list.Msgs[list.Count - 1] = NULL;
	natsMsgList_Destroy(&list);
	return true;
}

static bool accept_batch(void *at, uint64_t stored)
{
	struct line *line = at;
	(void)stored;
	bool good = need(natsMsg_Ack(line->last, NULL), "acknowledge");
	natsMsg_Destroy(line->last);
	line->last = NULL;
	return good;
}

const struct peer peer = {
	.name = "nats",
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
