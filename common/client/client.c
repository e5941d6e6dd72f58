/* client.c - commands and their replies.
 *
 * A reply is known by its message id. While av_client_call waits for its own, replies to commands that were
 * sent with av_client_send are kept for av_client_receive; replies that nobody waits for any more are
 * dropped. After a call that timed out the connection is made anew, so that nothing of it is left in a queue.
 */
#include "avvik/client.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1
#include <uthash.h>
#include <utlist.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "link.h"
#include "seal/receipt.h"

#define UNDER_WAY_MAX 1024
#define TIMEOUT_MS 10000
#define MESSAGE_ID_MAX 128

struct under_way {
	char id[MESSAGE_ID_MAX + 1];
	UT_hash_handle hh;
};

struct arrived {
	Avvik__V1__Reply *reply;
	struct arrived *prev, *next;
};

struct av_client {
	struct link link;
	int timeout_ms;
	uint64_t number;
	struct under_way *sent; /* with av_client_send, not answered */
	struct arrived *kept;	/* answers that av_client_receive has not given */
	size_t kept_count;
};

int av_client_open(const struct av_client_options *options, struct av_client **ret_client)
{
	struct av_client *client = calloc(1, sizeof(*client));
	if (!client)
		return AV_MEMORY;
	client->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : TIMEOUT_MS;
	int status = link_open(&client->link, LINK_DEALER, options->endpoint, options);
	if (status != AV_OK) {
		free(client);
		return status;
	}
	*ret_client = client;
	return AV_OK;
}

static void forget_sent(struct av_client *client)
{
	struct under_way *one, *next;
	HASH_ITER (hh, client->sent, one, next) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what was freed was taken out */
		HASH_DEL(client->sent, one);
		free(one);
	}
}

void av_client_close(struct av_client **client)
{
	struct av_client *closing = *client;
	struct arrived *one, *next;
	if (!closing)
		return;
	*client = NULL;
	forget_sent(closing);
	DL_FOREACH_SAFE(closing->kept, one, next)
	{
		avvik__v1__reply__free_unpacked(one->reply, NULL);
		free(one);
	}
	link_close(&closing->link);
	free(closing);
}

/* The command under its own id, or one made of the next number; packed with malloc. */
static int pack_command(struct av_client *client, const Avvik__V1__Command *command,
	char id[MESSAGE_ID_MAX + 1], struct av_bytes *ret_packed)
{
	Avvik__V1__Command copy = *command;
	client->number++;
	if (copy.message_id && strlen(copy.message_id) > MESSAGE_ID_MAX)
		return AV_INVALID;
	if (copy.message_id && copy.message_id[0])
		snprintf(id, MESSAGE_ID_MAX + 1, "%s", copy.message_id);
	else
		snprintf(id, MESSAGE_ID_MAX + 1, "%" PRIu64, client->number);
	copy.message_id = id;
	size_t size = avvik__v1__command__get_packed_size(&copy);
	if (size > LINK_FRAME_MAX)
		return AV_TOO_LARGE;
	unsigned char *packed = malloc(size + 1);
	if (!packed)
		return AV_MEMORY;
	avvik__v1__command__pack(&copy, packed);
	*ret_packed = av_bytes(packed, size);
	return AV_OK;
}

static int receive_reply(struct av_client *client, int64_t deadline_ms, Avvik__V1__Reply **ret_reply)
{
	unsigned char *body;
	size_t size;
	int status = link_receive(&client->link, deadline_ms, &body, &size);
	if (status != AV_OK)
		return status;
	*ret_reply = (Avvik__V1__Reply *)link_unpack(&avvik__v1__reply__descriptor, body, size);
	free(body);
	return *ret_reply ? AV_OK : AV_MALFORMED;
}

/* Was it sent with av_client_send? Then it is no longer under way. A reply without id is to a command that
 * could not be read; it is for whoever waits. */
static bool settle(struct av_client *client, const char *id)
{
	struct under_way *one;
	HASH_FIND_STR(client->sent, id, one);
	if (!one)
		return id[0] == 0 && client->sent;
	HASH_DEL(client->sent, one);
	free(one);
	return true;
}

static void keep(struct av_client *client, Avvik__V1__Reply *reply)
{
	struct arrived *one = settle(client, reply->message_id) ? calloc(1, sizeof(*one)) : NULL;
	if (!one) {
		avvik__v1__reply__free_unpacked(reply, NULL);
		return;
	}
	one->reply = reply;
	DL_APPEND(client->kept, one);
	client->kept_count++;
}

/* Waits for the reply with this id. */
static int receive_own(
	struct av_client *client, const char *id, int64_t deadline_ms, Avvik__V1__Reply **ret_reply)
{
	for (;;) {
		Avvik__V1__Reply *reply;
		int status = receive_reply(client, deadline_ms, &reply);
		if (status == AV_MALFORMED)
			continue; /* not a reply, passed over */
		if (status != AV_OK)
			return status;
		if (strcmp(reply->message_id, id) == 0 || (reply->message_id[0] == 0 && !client->sent)) {
			*ret_reply = reply;
			return AV_OK;
		}
		keep(client, reply);
	}
}

int client_call_until(struct av_client *client, const Avvik__V1__Command *command, int64_t deadline_ms,
	Avvik__V1__Reply **ret_reply)
{
	char id[MESSAGE_ID_MAX + 1];
	struct av_bytes packed;
	int status = pack_command(client, command, id, &packed);
	if (status != AV_OK)
		return status;
	do {
		status = link_send(&client->link, packed);
		if (status == AV_OK)
			status = receive_own(client, id, deadline_ms, ret_reply);
	} while (status == AV_CLOSED);
	free((void *)(uintptr_t)packed.data);
	if (status == AV_TIMEOUT || status == AV_BUSY || status == AV_INTERNAL) {
		forget_sent(client); /* their answers would come on the connection that is given up */
		link_reset(&client->link);
	}
	return status == AV_BUSY ? AV_TIMEOUT : status;
}

int av_client_call(struct av_client *client, const Avvik__V1__Command *command, Avvik__V1__Reply **ret_reply)
{
	return client_call_until(client, command, av_clock_monotonic_ms() + client->timeout_ms, ret_reply);
}

int av_client_send(struct av_client *client, const Avvik__V1__Command *command, uint64_t *ret_number)
{
	if (HASH_COUNT(client->sent) + client->kept_count >= UNDER_WAY_MAX)
		return AV_BUSY;
	struct under_way *one = calloc(1, sizeof(*one)), *other;
	if (!one)
		return AV_MEMORY;
	struct av_bytes packed;
	int status = pack_command(client, command, one->id, &packed);
	if (status == AV_OK) {
		status = link_send(&client->link, packed);
		free((void *)(uintptr_t)packed.data);
	}
	if (status != AV_OK) {
		free(one);
		return status;
	}
	HASH_FIND_STR(client->sent, one->id, other);
	if (other) {
		free(one); /* the same id twice: the first answer settles it */
	} else {
		HASH_ADD_STR(client->sent, id, one);
		if (!one->hh.tbl) {
			free(one);
			return AV_MEMORY;
		}
	}
	*ret_number = client->number;
	return AV_OK;
}

int av_client_receive(struct av_client *client, int timeout_ms, Avvik__V1__Reply **ret_reply)
{
	int64_t deadline_ms = av_clock_monotonic_ms() + timeout_ms;
	Avvik__V1__Reply *reply;
	for (;;) {
		struct arrived *one = client->kept;
		if (one) {
			DL_DELETE(client->kept, one);
			client->kept_count--;
			*ret_reply = one->reply;
			free(one);
			return AV_OK;
		}
		int status = receive_reply(client, deadline_ms, &reply);
		if (status == AV_OK)
			keep(client, reply);
		else if (status != AV_MALFORMED && status != AV_CLOSED)
			return status;
	}
}

int av_client_check_receipt(const Avvik__V1__Receipt *receipt, const unsigned char public_key[32],
	const void *packed_report, size_t packed_size, const char **ret_text)
{
	int status = av_crypto_start();
	AV_CLEANUP(av_arena_destroy)
	struct av_arena *arena = av_arena_create(LINK_FRAME_MAX);
	if (status != AV_OK || !arena)
		return status != AV_OK ? status : AV_MEMORY;
	return av_receipt_check(receipt, public_key, av_bytes(packed_report, packed_size), arena, ret_text);
}
