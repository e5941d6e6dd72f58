/* daemon_queue.c - the line of commands: fair between peers, bounded, in order */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/macros.h"
#include "base/status.h"
#include "daemon/queue.h"

static int push(struct av_queue *queue, const char *peer, int64_t number)
{
	struct av_route route = {.size = 8, .bytes = "\0\005abcde"};
	struct av_frame frame = {0};
	return av_queue_push(queue, peer, &route, &frame, number);
}

static size_t take(struct av_queue *queue, size_t most, char *ret_peers)
{
	struct av_queued *list[64];
	size_t count = av_queue_take(queue, list, most, SIZE_MAX);
	for (size_t i = 0; i < count; i++) {
		ret_peers[i] = list[i]->key[0];
		av_queued_free(list[i]);
	}
	ret_peers[count] = '\0';
	return count;
}

static void one_peer_that_floods_delays_only_itself(void **state)
{
	char peers[65];
	AV_UNUSED(state);
	struct av_queue *queue = av_queue_create(1000000);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(push(queue, "F", i), AV_OK);
	assert_int_equal(push(queue, "A", 1), AV_OK);
	assert_int_equal(push(queue, "B", 2), AV_OK);
	assert_int_equal(push(queue, "A", 3), AV_OK);
	assert_int_equal(take(queue, 7, peers), 7);
	assert_string_equal(peers, "FABFAFF");
	assert_int_equal(av_queue_count(queue), 996);
	av_queue_destroy(&queue);
}

static void the_next_batch_goes_on_with_the_next_peer(void **state)
{
	char peers[65];
	AV_UNUSED(state);
	struct av_queue *queue = av_queue_create(1000000);
	for (int i = 0; i < 10; i++) {
		push(queue, "A", i);
		push(queue, "B", i);
		push(queue, "C", i);
	}
	take(queue, 2, peers);
	assert_string_equal(peers, "AB");
	take(queue, 2, peers);
	assert_string_equal(peers, "CA");
	av_queue_destroy(&queue);
}

static void each_peers_own_commands_keep_their_order(void **state)
{
	struct av_queued *list[64];
	int64_t last[2] = {-1, -1};
	AV_UNUSED(state);
	struct av_queue *queue = av_queue_create(1000000);
	for (int i = 0; i < 30; i++)
		push(queue, i % 3 ? "A" : "B", i);
	while (av_queue_count(queue) > 0) {
		size_t count = av_queue_take(queue, list, 7, SIZE_MAX);
		for (size_t i = 0; i < count; i++) {
			int peer = list[i]->key[0] == 'B';
			assert_true(list[i]->arrived_at_ms > last[peer]);
			assert_int_equal(list[i]->route_size, 8);
			assert_memory_equal(list[i]->route, "\0\005abcde", 8);
			last[peer] = list[i]->arrived_at_ms;
			av_queued_free(list[i]);
		}
	}
	assert_int_equal(av_queue_bytes(queue), 0);
	av_queue_destroy(&queue);
}

static void at_the_bound_the_sender_is_told_and_others_still_have_room(void **state)
{
	AV_UNUSED(state);
	struct av_queue *queue = av_queue_create(100 * 264);
	int pushed = 0;
	while (push(queue, "F", pushed) == AV_OK)
		pushed++;
	assert_int_equal(pushed, 50); /* half of all is one peer's share */
	assert_int_equal(push(queue, "A", 1), AV_OK);
	assert_int_equal(push(queue, "F", 1), AV_BUSY);
	for (pushed = 1; push(queue, "A", pushed) == AV_OK;)
		pushed++;
	assert_int_equal(pushed, 50);
	assert_int_equal(push(queue, "B", 1), AV_BUSY); /* full as a whole */
	char peers[65];
	take(queue, 1, peers);
	assert_int_equal(push(queue, "B", 1), AV_OK);
	av_queue_destroy(&queue);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_peer_that_floods_delays_only_itself),
		cmocka_unit_test(the_next_batch_goes_on_with_the_next_peer),
		cmocka_unit_test(each_peers_own_commands_keep_their_order),
		cmocka_unit_test(at_the_bound_the_sender_is_told_and_others_still_have_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
