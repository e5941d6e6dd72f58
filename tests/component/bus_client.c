/* bus_client.c - libavvik against a daemon's sockets: calls, feeds, and receipts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/arena.h"
#include "base/clock.h"
#include "base/status.h"
#include "bus_client_world.h"
#include "seal/receipt.h"

static struct av_client *open_client(struct daemon *d, enum who who, int timeout_ms)
{
	struct av_client_options options = daemon_options(d, who, d->command_endpoint);
	struct av_client *client = NULL;
	options.timeout_ms = timeout_ms;
	assert_int_equal(av_client_open(&options, &client), AV_OK);
	return client;
}

static Avvik__V1__Command command_of(const char *reference)
{
	Avvik__V1__Command command = AVVIK__V1__COMMAND__INIT;
	static Avvik__V1__GetStatus get = AVVIK__V1__GET_STATUS__INIT;
	command.reference = (char *)(uintptr_t)reference;
	command.body_case = AVVIK__V1__COMMAND__BODY_GET_STATUS;
	command.get_status = &get;
	return command;
}

static void want_call(struct av_client *client, const char *reference)
{
	Avvik__V1__Reply *reply = NULL;
	Avvik__V1__Command command = command_of(reference);
	assert_int_equal(av_client_call(client, &command, &reply), AV_OK);
	assert_string_equal(reply->reference, reference);
	avvik__v1__reply__free_unpacked(reply, NULL);
}

/* Commands */

static void a_call_gets_its_own_reply(void **state)
{
	struct av_client *client = open_client(*state, ALICE, 3000);
	want_call(client, "one");
	want_call(client, "two");
	av_client_close(&client);
	assert_null(client);
}

static void a_thousand_commands_under_way_get_a_thousand_replies_each_once(void **state)
{
	struct av_client *client = open_client(*state, ALICE, 3000);
	static bool seen[2000];
	memset(seen, 0, sizeof(seen));
	uint64_t number = 0;
	Avvik__V1__Command command = command_of("x");
	for (int i = 0; i < 1024; i++)
		assert_int_equal(av_client_send(client, &command, &number), AV_OK);
	assert_int_equal(av_client_send(client, &command, &number), AV_BUSY);
	want_call(client, "in between");
	for (int i = 0; i < 1024; i++) {
		Avvik__V1__Reply *reply;
		assert_int_equal(av_client_receive(client, 3000, &reply), AV_OK);
		uint64_t id = strtoull(reply->message_id, NULL, 10);
		assert_true(id > 0 && id < AV_COUNT(seen) && !seen[id]);
		seen[id] = true;
		avvik__v1__reply__free_unpacked(reply, NULL);
	}
	Avvik__V1__Reply *reply;
	assert_int_equal(av_client_receive(client, 50, &reply), AV_TIMEOUT);
	assert_int_equal(av_client_send(client, &command, &number), AV_OK);
	av_client_close(&client);
}

static void be_mute_once(struct daemon *d)
{
	d->mute = 1;
}

static void a_call_without_answer_times_out_and_the_next_one_is_answered(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 300);
	Avvik__V1__Command command = command_of("x");
	Avvik__V1__Reply *reply = NULL;
	want_call(client, "first");
	daemon_on_loop(d, be_mute_once);
	int64_t before_ms = av_clock_monotonic_ms();
	assert_int_equal(av_client_call(client, &command, &reply), AV_TIMEOUT);
	int64_t took_ms = av_clock_monotonic_ms() - before_ms;
	assert_true(took_ms >= 290 && took_ms < 2000);
	assert_null(reply);
	want_call(client, "again");
	av_client_close(&client);
}

static void a_key_that_is_not_allowed_times_out(void **state)
{
	struct av_client *client = open_client(*state, STRANGER, 300);
	Avvik__V1__Command command = command_of("x");
	Avvik__V1__Reply *reply;
	assert_int_equal(av_client_call(client, &command, &reply), AV_TIMEOUT);
	av_client_close(&client);
}

static void when_the_daemon_comes_back_a_call_is_answered(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 3000);
	want_call(client, "before");
	for (int i = 0; i < 5; i++) {
		daemon_on_loop(d, daemon_close_command);
		daemon_on_loop(d,
			daemon_open_command); /* at once: the client may not have noticed, and send into the old
					     connection */
		want_call(client, "after");
	}
	av_client_close(&client);
}

static void options_that_cannot_work_are_refused_at_once(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = NULL;
	for (int i = 0; i < 5; i++) {
		struct av_client_options options = daemon_options(d, ALICE, d->command_endpoint);
		if (i == 0)
			options.endpoint = NULL;
		else if (i == 1)
			options.endpoint = "nonsense";
		else if (i == 2)
			options.server_key = "short";
		else if (i == 3)
			options.public_key = NULL;
		else
			options.secret_key = "'''''''''''''''''''''''''''''''''''''''''"; /* not Z85 */
		assert_int_equal(av_client_open(&options, &client), AV_INVALID);
		assert_null(client);
	}
}

static void reopen_command(struct daemon *d)
{
	daemon_close_command(d);
	daemon_open_command(d);
}

static void *reopen_soon(void *context)
{
	usleep(200000);
	daemon_on_loop(context, reopen_command);
	return NULL;
}

static void a_call_under_way_when_the_daemon_goes_is_made_again(void **state)
{
	struct daemon *d = *state;
	struct av_client *client = open_client(d, ALICE, 5000);
	pthread_t thread;
	want_call(client, "before");
	daemon_on_loop(d, be_mute_once); /* received, and lost with the daemon */
	assert_int_equal(pthread_create(&thread, NULL, reopen_soon, d), 0);
	want_call(client, "under way");
	pthread_join(thread, NULL);
	av_client_close(&client);
}

/* Feeds */

static void append(struct daemon *d)
{
	struct av_txn *txn;
	uint64_t sequence;
	struct av_arena *arena = av_arena_create(0);
	Avvik__V1__Event event = AVVIK__V1__EVENT__INIT;
	Avvik__V1__CaseClosed closed = AVVIK__V1__CASE_CLOSED__INIT;
	event.body_case = AVVIK__V1__EVENT__BODY_CASE_CLOSED;
	event.case_closed = &closed;
	if (av_txn_begin_write(d->store, &txn) == AV_OK) {
		for (int i = 0; i < 10; i++)
			av_journal_append(txn, av_message_pack(&event.base, arena), &sequence);
		(void)av_txn_commit(&txn);
	}
	av_feed_server_advanced(d->feed);
	av_arena_destroy(&arena);
}

static struct av_feed *open_feed(struct daemon *d, enum who who)
{
	struct av_client_options options = daemon_options(d, who, d->feed_endpoint);
	struct av_feed *feed = NULL;
	assert_int_equal(av_feed_open(&options, &feed), AV_OK);
	return feed;
}

static void a_sink_reads_a_feed_batch_by_batch_by_its_own_cursor(void **state)
{
	struct daemon *d = *state;
	struct av_feed *feed = open_feed(d, ALICE);
	Avvik__V1__FeedReply *reply = NULL, *last = NULL;
	uint64_t next = 1;
	daemon_on_loop(d, append);
	daemon_on_loop(d, append);
	for (int i = 0; i < 5; i++) {
		const Avvik__V1__Cursor *after = last ? last->batch->reached : NULL;
		assert_int_equal(av_feed_next(feed, after, 4, 3000, &reply), AV_OK);
		assert_int_equal(reply->batch->n_items, 4);
		for (size_t k = 0; k < 4; k++)
			assert_int_equal(reply->batch->items[k]->sequence, next++);
		if (last)
			avvik__v1__feed_reply__free_unpacked(last, NULL);
		last = reply;
	}
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 400, &reply), AV_TIMEOUT);
	assert_null(reply);
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 1, &reply), AV_TIMEOUT);
	daemon_on_loop(d, append);
	assert_int_equal(av_feed_next(feed, last->batch->reached, 100, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->items[0]->sequence, 21);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	/* Another history */
	last->batch->reached->chain_hash.data[0] ^= 1;
	assert_int_equal(av_feed_next(feed, last->batch->reached, 4, 3000, &reply), AV_CONFLICT);
	assert_int_equal(reply->body_case, AVVIK__V1__FEED_REPLY__BODY_REFUSAL);
	assert_int_equal(reply->refusal->head->sequence, 30);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	avvik__v1__feed_reply__free_unpacked(last, NULL);
	av_feed_close(&feed);
}

static void waiting(struct daemon *d)
{
	d->waiting = av_feed_server_waiting(d->feed);
}

/* While a sink stores, the request for what follows is out already: the producer has it. */
static void what_follows_is_asked_for_before_the_sink_comes_for_it(void **state)
{
	struct daemon *d = *state;
	struct av_feed *feed = open_feed(d, ALICE);
	Avvik__V1__FeedReply *first = NULL, *reply = NULL;
	daemon_on_loop(d, append);
	assert_int_equal(av_feed_next(feed, NULL, 100, 3000, &first), AV_OK);
	assert_int_equal(first->batch->n_items, 10);
	for (int i = 0; i < 100 && (daemon_on_loop(d, waiting), d->waiting == 0); i++)
		usleep(20000);
	assert_int_equal(d->waiting, 1);
	daemon_on_loop(d, append);
	/* Another question is not answered by that answer: from the start, and of fewer events. */
	assert_int_equal(av_feed_next(feed, first->batch->reached, 3, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->n_items, 3);
	assert_int_equal(reply->batch->items[0]->sequence, 11);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	assert_int_equal(av_feed_next(feed, NULL, 3, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->items[0]->sequence, 1);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	avvik__v1__feed_reply__free_unpacked(first, NULL);
	av_feed_close(&feed);
}

/* What a sink could not store is told to it again: the answer that is under way already is not its next batch. */
static void a_sink_that_fails_with_a_batch_gets_it_again_and_skips_nothing(void **state)
{
	struct daemon *d = *state;
	struct av_feed *feed = open_feed(d, ALICE);
	Avvik__V1__FeedReply *kept = NULL, *reply = NULL;
	uint64_t stored = 0;
	daemon_on_loop(d, append);
	daemon_on_loop(d, append);
	for (int turn = 0; stored < 20; turn++) {
		bool fails = turn % 2 == 0;
		assert_int_equal(
			av_feed_next(feed, kept ? kept->batch->reached : NULL, 4, 3000, &reply), AV_OK);
		assert_int_equal(reply->batch->n_items, 4);
		for (size_t i = 0; i < 4; i++) /* after a failure the same ones */
			assert_int_equal(reply->batch->items[i]->sequence, stored + 1 + i);
		if (turn % 4 == 0) /* has what follows arrived here already, or is it asked for only? */
			usleep(100000);
		if (!fails) {
			stored += 4;
			if (kept)
				avvik__v1__feed_reply__free_unpacked(kept, NULL);
			kept = reply;
			continue;
		}
		avvik__v1__feed_reply__free_unpacked(reply, NULL);
	}
	/* At the end too, where the request for what follows waits with the producer, and is answered meanwhile. */
	daemon_on_loop(d, append);
	assert_int_equal(av_feed_next(feed, kept->batch->reached, 100, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->items[0]->sequence, 21);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	daemon_on_loop(d, append);
	assert_int_equal(av_feed_next(feed, kept->batch->reached, 100, 3000, &reply), AV_OK);
	assert_int_equal(reply->batch->n_items, 20);
	assert_int_equal(reply->batch->items[0]->sequence, 21);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	avvik__v1__feed_reply__free_unpacked(kept, NULL);
	av_feed_close(&feed);
}

static void a_sink_without_the_right_is_FORBIDDEN(void **state)
{
	struct av_feed *feed = open_feed(*state, BOB);
	Avvik__V1__FeedReply *reply = NULL;
	assert_int_equal(av_feed_next(feed, NULL, 4, 3000, &reply), AV_FORBIDDEN);
	avvik__v1__feed_reply__free_unpacked(reply, NULL);
	av_feed_close(&feed);
}

/* Receipts */

static void a_receipt_is_checked_offline(void **state)
{
	(void)state;
	struct av_arena *arena = av_arena_create(0);
	struct av_random random = av_random_seeded(5);
	unsigned char public_key[32], secret[64], blinding[32], commitment[32], leaf[32], id[16] = {1};
	static const char report[] = "a packed report";
	const char *text = NULL;
	assert_int_equal(av_crypto_start(), AV_OK);
	av_sign_keypair(&random, public_key, secret);
	av_random_fill(&random, blinding, sizeof(blinding));
	av_commitment(blinding, av_bytes(report, sizeof(report)), commitment);
	Avvik__V1__Receipt receipt = AVVIK__V1__RECEIPT__INIT;
	Avvik__V1__ReceiptLeaf one = AVVIK__V1__RECEIPT_LEAF__INIT;
	Avvik__V1__TurnSeal seal = AVVIK__V1__TURN_SEAL__INIT;
	one.report_id = (ProtobufCBinaryData){16, id};
	one.commitment = (ProtobufCBinaryData){32, commitment};
	one.sequence = 7;
	one.received_at_ms = one.recorded_at_ms = WORLD_NOW;
	assert_int_equal(av_receipt_leaf_hash(&one, arena, leaf), AV_OK);
	seal.instance = receipt.instance = (char *)"test";
	seal.epoch_id = (ProtobufCBinaryData){16, id};
	seal.first_sequence = seal.last_sequence = 7;
	seal.chain_hash = (ProtobufCBinaryData){32, leaf};
	seal.merkle_root = (ProtobufCBinaryData){32, leaf};
	seal.leaves = 1;
	seal.sealed_at_ms = WORLD_NOW;
	assert_int_equal(av_turn_sign(&seal, secret, arena), AV_OK);
	receipt.leaf = &one;
	receipt.turn = &seal;
	receipt.count = 1;
	receipt.blinding = (ProtobufCBinaryData){32, blinding};
	int status = av_client_check_receipt(&receipt, public_key, report, sizeof(report), &text);
	if (status != AV_OK)
		fail_msg("got %s (%s), want OK", av_status_name(status), text ? text : "");
	assert_int_equal(av_client_check_receipt(&receipt, public_key, NULL, 0, &text), AV_OK);
	assert_int_equal(av_client_check_receipt(&receipt, public_key, "another", 7, &text), AV_CRYPTO);
	one.sequence = 8;
	assert_int_not_equal(
		av_client_check_receipt(&receipt, public_key, report, sizeof(report), &text), AV_OK);
	av_arena_destroy(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		daemon_test(a_call_gets_its_own_reply),
		daemon_test(a_thousand_commands_under_way_get_a_thousand_replies_each_once),
		daemon_test(a_call_without_answer_times_out_and_the_next_one_is_answered),
		daemon_test(a_key_that_is_not_allowed_times_out),
		daemon_test(when_the_daemon_comes_back_a_call_is_answered),
		daemon_test(a_call_under_way_when_the_daemon_goes_is_made_again),
		daemon_test(options_that_cannot_work_are_refused_at_once),
		daemon_test(a_sink_reads_a_feed_batch_by_batch_by_its_own_cursor),
		daemon_test(what_follows_is_asked_for_before_the_sink_comes_for_it),
		daemon_test(a_sink_that_fails_with_a_batch_gets_it_again_and_skips_nothing),
		daemon_test(a_sink_without_the_right_is_FORBIDDEN),
		cmocka_unit_test(a_receipt_is_checked_offline),
	};
	return cmocka_run_group_tests_name("bus_client", tests, NULL, NULL);
}
