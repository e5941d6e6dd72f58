/* turn_receipts.c - receipts of turns of any size are proofs, then and later */
#include <string.h>

#include "seal/receipt.h"
#include "turn_world.h"

static struct av_bytes packed_report(struct harness *h, const char *unit)
{
	return av_message_pack(&world_report(h, unit, "it fell")->base, h->arena);
}

static void check(struct harness *h, const Avvik__V1__Receipt *receipt, const char *unit)
{
	const char *text = "no receipt";
	struct av_arena *arena = av_arena_create(0);
	int status = receipt ? av_receipt_check(receipt, h->sign_public, packed_report(h, unit), arena, &text)
			     : AV_NOT_FOUND;
	av_arena_destroy(&arena);
	if (status != AV_OK)
		fail_msg("the receipt does not hold: %s", text);
}

static void receipts_hold_in_turns_of_1_to_50_reports(void **state)
{
	struct harness *h = *state;
	struct av_item items[50];
	for (size_t count = 1; count <= 50; count++) {
		for (size_t i = 0; i < count; i++)
			items[i] = world_item(h, av_arena_printf(h->arena, "r%zu-%zu", count, i),
				i % 2 ? "north" : "south");
		assert_int_equal(harness_run(h, items, count), AV_OK);
		for (size_t i = 0; i < count; i++) {
			Avvik__V1__Reply *reply = world_reply(h, &items[i]);
			harness_want(reply, STATUS(DONE));
			check(h, reply->report_accepted->receipt, i % 2 ? "north" : "south");
			assert_int_equal(reply->report_accepted->receipt->count, count);
		}
	}
	harness_check_replay(h);
}

static void a_receipt_does_not_hold_for_another_report(void **state)
{
	struct harness *h = *state;
	const char *text;
	Avvik__V1__Reply *reply = world_file(h, "r1", "north");
	int status = av_receipt_check(
		reply->report_accepted->receipt, h->sign_public, packed_report(h, "south"), h->arena, &text);
	assert_int_equal(status, AV_CRYPTO);
	reply->report_accepted->receipt->leaf->received_at_ms++;
	status = av_receipt_check(
		reply->report_accepted->receipt, h->sign_public, packed_report(h, "north"), h->arena, &text);
	assert_int_equal(status, AV_CRYPTO);
}

static void a_receipt_is_made_again_from_the_journal(void **state)
{
	struct harness *h = *state;
	struct av_item items[7];
	for (int i = 0; i < 7; i++)
		items[i] = world_item(h, av_arena_printf(h->arena, "r%d", i), i == 3 ? "refused" : "north");
	assert_int_equal(harness_run(h, items, 7), AV_OK);
	harness_restart(h);
	for (int i = 0; i < 7; i++) {
		if (i == 3)
			continue;
		Avvik__V1__GetReceipt ask = AVVIK__V1__GET_RECEIPT__INIT;
		ask.reference = av_arena_printf(h->arena, "r%d", i);
		Avvik__V1__Reply *reply = harness_order(
			h, &publisher, NULL, NULL, AVVIK__V1__COMMAND__BODY_GET_RECEIPT, &ask.base);
		harness_want(reply, STATUS(DONE));
		check(h, reply->receipt_found->receipts[0], "north");
	}
}

static void erased_content_leaves_its_receipt_marked(void **state)
{
	struct harness *h = *state;
	harness_want(world_file(h, "r1", "north"), STATUS(DONE));
	Avvik__V1__Event *filed = harness_last(h, AVVIK__V1__EVENT__BODY_REPORT_FILED);
	Avvik__V1__ContentItem content = AVVIK__V1__CONTENT_ITEM__INIT, *contents[] = {&content};
	Avvik__V1__GrantBody body = AVVIK__V1__GRANT_BODY__INIT;
	Avvik__V1__Grant grant = AVVIK__V1__GRANT__INIT;
	Avvik__V1__OpenContent open = AVVIK__V1__OPEN_CONTENT__INIT;
	unsigned char signature[64], key[AV_KEY_SIZE];
	struct av_id grant_id = world_case(9);
	content.content_id = filed->report_filed->content->content_id;
	body.grant_id = (ProtobufCBinaryData){16, grant_id.bytes};
	body.kind = AVVIK__V1__GRANT_KIND__GRANT_KIND_ERASE;
	body.n_items = 1;
	body.items = contents;
	body.principal = (char *)(uintptr_t) "casework";
	body.instance = (char *)(uintptr_t) "test";
	body.expires_at_ms = h->now_ms + 60000;
	struct av_bytes packed = av_message_pack(&body.base, h->arena);
	av_sign(h->grant_secret, "avvik grant v1", packed, signature);
	grant.body = (ProtobufCBinaryData){packed.size, (uint8_t *)(uintptr_t)packed.data};
	grant.signature = (ProtobufCBinaryData){64, signature};
	open.grant = &grant;
	harness_want(harness_order(h, &reader, NULL, NULL, AVVIK__V1__COMMAND__BODY_OPEN_CONTENT, &open.base),
		STATUS(DONE));
	assert_true(h->result.doomed);
	uint64_t number = filed->report_filed->content->key_number;
	assert_int_equal(av_keystore_get(h->keys, number, key), AV_OK);
	harness_upkeep(h);
	assert_int_equal(av_keystore_get(h->keys, number, key), AV_ERASED);
	/* The repetition still proves that the report was received, without what opened it. */
	Avvik__V1__Reply *again = world_file(h, "r1", "north");
	harness_want(again, STATUS(DONE));
	assert_true(again->repeated);
	assert_true(again->report_accepted->erased);
	assert_true(again->report_accepted->receipt->erased);
	assert_int_equal(again->report_accepted->receipt->blinding.len, 0);
	const char *text;
	assert_int_equal(av_receipt_check(again->report_accepted->receipt, h->sign_public, av_bytes(NULL, 0),
				 h->arena, &text),
		AV_OK);
	harness_check_replay(h);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
	static const struct CMUnitTest tests[] = {
		TEST(receipts_hold_in_turns_of_1_to_50_reports),
		TEST(a_receipt_does_not_hold_for_another_report),
		TEST(a_receipt_is_made_again_from_the_journal),
		TEST(erased_content_leaves_its_receipt_marked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
