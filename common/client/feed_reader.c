/* feed_reader.c - a feed, read by a sink that keeps its own cursor.
 *
 * What follows on a batch is asked for when the batch is handed over: it comes while the sink stores.
 */
#include <stdlib.h>
#include "avvik/client.h"
#include "base/clock.h"
#include "base/status.h"
#include "link.h"

#define BATCH_BYTES (4 * 1024 * 1024)
#define WAIT_MAX_MS 60000
#define ON_THE_WAY_MS 250 /* how much earlier than we the producer gives up waiting */
#define PAUSE_LEAST_MS 50
#define LATE_MS 5000 /* an answer later than this is taken for lost */

struct position {
	unsigned char epoch[16], hash[32];
	uint64_t sequence;
};

struct av_feed {
	struct link link;
	unsigned char view[32];
	size_t view_size;
	/* A request is out, for this position and at most so many events: until `answer_by_ms` its answer may come. */
	bool asking;
	struct position asked;
	uint32_t asked_events;
	int64_t answer_by_ms;
};

int av_feed_open(const struct av_client_options *options, struct av_feed **ret_feed)
{
	struct av_feed *feed = calloc(1, sizeof(*feed));
	if (!feed)
		return AV_MEMORY;
	int status = link_open(&feed->link, LINK_DEALER, options->endpoint, options);
	if (status != AV_OK) {
		free(feed);
		return status;
	}
	*ret_feed = feed;
	return AV_OK;
}

void av_feed_close(struct av_feed **feed)
{
	if (!*feed)
		return;
	link_close(&(*feed)->link);
	free(*feed);
	*feed = NULL;
}

/* NULL: the start. false: it is none. */
static bool position_of(const Avvik__V1__Cursor *cursor, struct position *ret_position)
{
	struct position position = {.sequence = cursor ? cursor->sequence : 0};
	if (cursor && (cursor->epoch_id.len > sizeof(position.epoch) ||
			      cursor->chain_hash.len > sizeof(position.hash)))
		return false;
	if (cursor && cursor->epoch_id.len > 0)
		memcpy(position.epoch, cursor->epoch_id.data, cursor->epoch_id.len);
	if (cursor && cursor->chain_hash.len > 0)
		memcpy(position.hash, cursor->chain_hash.data, cursor->chain_hash.len);
	*ret_position = position;
	return true;
}

static bool same_question(const struct av_feed *feed, const struct position *position, uint32_t max_events)
{
	return feed->asking && memcmp(position, &feed->asked, sizeof(*position)) == 0 &&
	       feed->asked_events <= max_events && av_clock_monotonic_ms() < feed->answer_by_ms;
}

/* Sends the request, unless it is out already: then its answer is waited for further. */
static int ask(struct av_feed *feed, const Avvik__V1__Cursor *after, uint32_t max_events, int64_t left_ms)
{
	Avvik__V1__FeedRequest request = AVVIK__V1__FEED_REQUEST__INIT;
	unsigned char packed[512];
	struct position position;
	max_events = AV_MAX(max_events, 1);
	if (!position_of(after, &position))
		return AV_INVALID;
	if (same_question(feed, &position, max_events))
		return AV_OK;
	/* An answer to another request must not be taken for this one's. */
	if (feed->asking && link_reset(&feed->link) != AV_OK)
		return AV_MEMORY;
	feed->asking = false;
	request.after = (Avvik__V1__Cursor *)(uintptr_t)after;
	request.max_events = max_events;
	request.max_bytes = BATCH_BYTES;
	request.wait_ms = (uint32_t)AV_MIN(AV_MAX(left_ms - ON_THE_WAY_MS, 0), WAIT_MAX_MS);
	request.view = (ProtobufCBinaryData){feed->view_size, feed->view};
	if (avvik__v1__feed_request__get_packed_size(&request) > sizeof(packed))
		return AV_INVALID;
	size_t size = avvik__v1__feed_request__pack(&request, packed);
	int status = link_send(&feed->link, av_bytes(packed, size));
	feed->asking = status == AV_OK;
	feed->asked = position;
	feed->asked_events = max_events;
	feed->answer_by_ms = av_clock_monotonic_ms() + request.wait_ms + LATE_MS;
	return status;
}

static int receive(struct av_feed *feed, int64_t deadline_ms, Avvik__V1__FeedReply **ret_reply)
{
	unsigned char *body;
	size_t size;
	int status = link_receive(&feed->link, deadline_ms, &body, &size);
	if (status != AV_OK)
		return status;
	feed->asking = false;
	*ret_reply = (Avvik__V1__FeedReply *)link_unpack(&avvik__v1__feed_reply__descriptor, body, size);
	free(body);
	return *ret_reply ? AV_OK : AV_MALFORMED;
}

static bool advances(const Avvik__V1__FeedBatch *batch, const Avvik__V1__Cursor *after)
{
	return batch->n_items > 0 || batch->moved_epoch ||
	       (batch->reached && batch->reached->sequence > (after ? after->sequence : 0));
}

static int status_of(Avvik__V1__FeedRefusalCode code)
{
	switch (code) {
	case AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_NOT_ALLOWED:
		return AV_FORBIDDEN;
	case AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_UNKNOWN_POSITION:
		return AV_CONFLICT;
	case AVVIK__V1__FEED_REFUSAL_CODE__FEED_REFUSAL_CODE_BUSY:
		return AV_BUSY;
	default:
		return AV_INVALID;
	}
}

static void sleep_until(struct av_feed *feed, int64_t until_ms)
{
	unsigned char *body;
	size_t size;
	while (link_receive(&feed->link, until_ms, &body, &size) == AV_OK)
		free(body); /* nothing is asked: nothing is expected */
}

int av_feed_next(struct av_feed *feed, const Avvik__V1__Cursor *after, uint32_t max_events, int timeout_ms,
	Avvik__V1__FeedReply **ret_reply)
{
	int64_t deadline_ms = av_clock_monotonic_ms() + timeout_ms;
	*ret_reply = NULL;
	for (;;) {
		Avvik__V1__FeedReply *reply;
		int64_t now_ms = av_clock_monotonic_ms();
		int status = ask(feed, after, max_events, deadline_ms - now_ms);
		if (status == AV_OK)
			status = receive(feed, deadline_ms, &reply);
		if (status == AV_CLOSED) {
			feed->asking = false; /* the question went with the connection: it is put again */
			continue;
		}
		if (status != AV_OK)
			return status;
		if (reply->body_case == AVVIK__V1__FEED_REPLY__BODY_BATCH && advances(reply->batch, after)) {
			feed->view_size = AV_MIN(reply->batch->view.len, sizeof(feed->view));
			if (feed->view_size > 0)
				memcpy(feed->view, reply->batch->view.data, feed->view_size);
			if (reply->batch->reached) /* when it fails, the next call asks and tells, ignoring */
				(void)ask(feed, reply->batch->reached, max_events, timeout_ms);
			*ret_reply = reply;
			return AV_OK;
		}
		bool refused = reply->body_case == AVVIK__V1__FEED_REPLY__BODY_REFUSAL;
		status = refused ? status_of(reply->refusal->code) : AV_TIMEOUT;
		int64_t pause_ms =
			status == AV_BUSY ? AV_MAX(reply->refusal->retry_after_ms, PAUSE_LEAST_MS) : 0;
		now_ms = av_clock_monotonic_ms();
		if (refused && status != AV_BUSY) {
			*ret_reply = reply; /* it says more than the status */
			return status;
		}
		avvik__v1__feed_reply__free_unpacked(reply, NULL);
		/* Close to the end the producer is no longer asked to wait: once more would only spin. */
		if (now_ms + pause_ms + ON_THE_WAY_MS >= deadline_ms)
			return status;
		sleep_until(feed, now_ms + pause_ms);
	}
}
