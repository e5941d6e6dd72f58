/* store_journal.c - the journal, its chain and epochs; cursors; references; quarantine */
#include "store_support.h"

#include "seal/crypto.h"
#include "store/quarantine.h"
#include "store/references.h"

static struct av_store *open_named(void **state, const char *name)
{
	struct av_store_options options = test_options(in_folder(state, name));
	return must_open(&options);
}

static struct av_position head_of(struct av_store *store)
{
	struct av_position head;
	struct av_txn *txn = must_read(store);
	assert_status(av_journal_head(txn, &head), AV_OK);
	av_txn_abort(&txn);
	return head;
}

static void each_entry_is_chained_to_the_one_before(void **state)
{
	static const char *const events[] = {"abc", "", "a longer event"};
	struct av_store *store = open_named(state, "chain");
	unsigned char want[AV_HASH_SIZE] = {0}, number[8], got[AV_HASH_SIZE];
	struct av_bytes event;
	assert_int_equal(head_of(store).sequence, 0);
	assert_memory_equal(head_of(store).hash, want, AV_HASH_SIZE);
	for (size_t i = 0; i < AV_COUNT(events); i++)
		assert_int_equal(append(store, events[i]), i + 1);
	struct av_txn *txn = must_read(store);
	for (size_t i = 0; i < AV_COUNT(events); i++) {
		av_put_u64(number, i + 1);
		struct av_bytes pieces[] = {{want, 32}, {number, 8}, av_bytes_of(events[i])};
		av_hash_pieces(pieces, 3, want);
		assert_status(av_journal_read(txn, i + 1, &event, got), AV_OK);
		assert_true(av_bytes_equal(event, av_bytes_of(events[i])));
		assert_memory_equal(got, want, AV_HASH_SIZE);
	}
	assert_status(av_journal_read(txn, 0, &event, NULL), AV_NOT_FOUND);
	assert_status(av_journal_read(txn, 4, &event, NULL), AV_NOT_FOUND);
	av_txn_abort(&txn);
	assert_memory_equal(head_of(store).hash, want, AV_HASH_SIZE);
	av_store_close(&store);
}

static void an_aborted_turn_leaves_no_gap(void **state)
{
	struct av_store *store = open_named(state, "gap");
	struct av_position head;
	uint64_t sequence = 0;
	append(store, "one");
	struct av_txn *txn = must_write(store);
	for (int i = 0; i < 5; i++)
		av_journal_append(txn, av_bytes("lost", 4), &sequence);
	assert_int_equal(sequence, 6);
	assert_status(av_journal_head(txn, &head), AV_OK);
	assert_int_equal(head.sequence, 6);
	av_txn_abort(&txn);
	assert_int_equal(append(store, "two"), 2);
	txn = must_read(store);
	assert_status(av_journal_check(txn, &sequence), AV_OK);
	av_txn_abort(&txn);
	av_store_close(&store);
}

static void a_position_is_confirmed_by_sequence_hash_and_epoch(void **state)
{
	struct av_store *store = open_named(state, "confirm");
	struct av_random random = av_random_system();
	struct av_position start = head_of(store), first, second;
	append(store, "one");
	first = head_of(store);
	append(store, "two");
	second = head_of(store);
	assert_memory_not_equal(first.hash, second.hash, AV_CHAIN_SIZE);

	struct av_txn *txn = must_read(store);
	assert_status(av_journal_confirm(txn, &start), AV_OK);
	assert_status(av_journal_confirm(txn, &first), AV_OK);
	assert_status(av_journal_confirm(txn, &second), AV_OK);
	struct av_position other = first;
	memcpy(other.hash, second.hash, AV_CHAIN_SIZE);
	assert_status(av_journal_confirm(txn, &other), AV_NOT_FOUND); /* another hash */
	other = second;
	other.sequence = 3;
	assert_status(av_journal_confirm(txn, &other), AV_NOT_FOUND); /* ahead of the journal */
	other = first;
	other.sequence = 0;
	assert_status(av_journal_confirm(txn, &other), AV_NOT_FOUND);
	av_txn_abort(&txn);

	txn = must_write(store);
	av_journal_new_epoch(txn, &random);
	must_commit(&txn);
	struct av_position moved = head_of(store);
	assert_memory_not_equal(&moved.epoch, &first.epoch, sizeof first.epoch);
	txn = must_read(store);
	assert_status(av_journal_confirm(txn, &start), AV_NOTHING);
	assert_status(av_journal_confirm(txn, &first), AV_NOTHING); /* the same, in another epoch */
	other = second;
	other.hash[0] ^= 1;
	assert_status(av_journal_confirm(txn, &other), AV_NOT_FOUND);
	av_txn_abort(&txn);
	av_store_close(&store);
}

/* What the journal holds, changed behind its back. */
static uint64_t fault_after(void **state, const char *name, void (*spoil)(struct av_txn *txn))
{
	struct av_store *store = open_named(state, name);
	uint64_t sequence = 0;
	for (int i = 0; i < 300; i++)
		append(store, "an event of some length, so that there are several pages");
	struct av_txn *txn = must_write(store);
	spoil(txn);
	must_commit(&txn);
	txn = must_read(store);
	assert_status(av_journal_check(txn, &sequence), AV_DAMAGED);
	av_txn_abort(&txn);
	av_store_close(&store);
	return sequence;
}

static void entry(uint64_t sequence, unsigned char ret_key[8])
{
	av_put_u64(ret_key, sequence);
}

static void change_event(struct av_txn *txn)
{
	unsigned char key[8], copy[256];
	struct av_bytes value;
	entry(150, key);
	assert_status(av_get(txn, AV_TABLE_JOURNAL, av_bytes(key, 8), &value), AV_OK);
	memcpy(copy, value.data, value.size);
	copy[value.size - 1] ^= 1;
	av_put(txn, AV_TABLE_JOURNAL, av_bytes(key, 8), av_bytes(copy, value.size));
}

static void drop_entry(struct av_txn *txn)
{
	unsigned char key[8];
	entry(17, key);
	av_delete(txn, AV_TABLE_JOURNAL, av_bytes(key, 8));
}

static void cut_end(struct av_txn *txn)
{
	unsigned char key[8];
	entry(300, key);
	av_delete(txn, AV_TABLE_JOURNAL, av_bytes(key, 8));
}

static void cut_all(struct av_txn *txn)
{
	for (uint64_t i = 1; i <= 300; i++) {
		unsigned char key[8];
		entry(i, key);
		av_delete(txn, AV_TABLE_JOURNAL, av_bytes(key, 8));
	}
}

static void the_check_names_the_sequence_at_fault(void **state)
{
	assert_int_equal(fault_after(state, "changed", change_event), 150);
	assert_int_equal(fault_after(state, "dropped", drop_entry), 17);
	assert_int_equal(fault_after(state, "cut", cut_end), 300);
	assert_int_equal(fault_after(state, "emptied", cut_all), 1);
}

static void a_cut_off_journal_takes_no_more(void **state)
{
	struct av_store *store = open_named(state, "cut");
	struct av_position head;
	uint64_t sequence;
	struct av_txn *txn = must_write(store);
	assert_status(av_journal_head(txn, &head), AV_DAMAGED);
	av_journal_append(txn, av_bytes("more", 4), &sequence);
	assert_status(av_txn_commit(&txn), AV_DAMAGED);
	av_store_close(&store);
}

static void a_cursor_is_kept_as_it_was(void **state)
{
	struct av_store *store = open_named(state, "cursor");
	struct av_cursor cursor = {.position = {.sequence = 300}}, got;
	memset(&cursor.position.epoch, 1, sizeof cursor.position.epoch);
	memset(cursor.position.hash, 2, sizeof cursor.position.hash);
	memset(cursor.view, 3, sizeof cursor.view);
	struct av_txn *txn = must_write(store);
	assert_status(av_cursor_load(txn, "intake", &got), AV_NOT_FOUND);
	av_cursor_store(txn, "intake", &cursor);
	must_commit(&txn);
	txn = must_read(store);
	assert_status(av_cursor_load(txn, "intake", &got), AV_OK);
	assert_int_equal(got.position.sequence, 300);
	assert_memory_equal(&got.position.epoch, &cursor.position.epoch, sizeof got.position.epoch);
	assert_memory_equal(got.position.hash, cursor.position.hash, sizeof got.position.hash);
	assert_memory_equal(got.view, cursor.view, sizeof got.view);
	assert_status(av_cursor_load(txn, "workflow", &got), AV_NOT_FOUND);
	av_txn_abort(&txn);
	av_store_close(&store);
}

static void a_reference_is_its_principals_own(void **state)
{
	struct av_store *store = open_named(state, "references");
	struct av_reference kept = {.sequence = 9, .reply = {"reply", 5}}, got;
	char large[AV_KEY_MAX];
	memset(kept.hash, 4, sizeof kept.hash);
	memset(&kept.case_id, 5, sizeof kept.case_id);
	memset(large, 'x', sizeof large);
	struct av_txn *txn = must_write(store);
	av_reference_store(txn, "careplan", "2026-1", &kept);
	must_commit(&txn);
	txn = must_write(store);
	assert_status(av_reference_find(txn, "careplan", "2026-1", &got), AV_OK);
	assert_int_equal(got.sequence, 9);
	assert_memory_equal(got.hash, kept.hash, 32);
	assert_memory_equal(&got.case_id, &kept.case_id, sizeof got.case_id);
	assert_true(av_bytes_equal(got.reply, kept.reply));
	assert_status(av_reference_find(txn, "careplan", "2026-", &got), AV_NOT_FOUND);
	assert_status(av_reference_find(txn, "careplan2026-1", "", &got), AV_NOT_FOUND);
	assert_status(av_reference_find(txn, "alarm", "2026-1", &got), AV_NOT_FOUND);
	large[AV_KEY_MAX - 2] = '\0'; /* with "a" and NUL it fits exactly */
	assert_status(av_reference_find(txn, "a", large, &got), AV_NOT_FOUND);
	assert_status(av_reference_find(txn, "ab", large, &got), AV_TOO_LARGE);
	assert_status(av_txn_error(txn), AV_OK);
	av_reference_store(txn, "ab", large, &kept);
	assert_status(av_txn_commit(&txn), AV_TOO_LARGE);
	av_store_close(&store);
}

struct visits {
	char text[256];
	size_t stop_after;
};

static bool note(void *context, const struct av_quarantined *entry_seen)
{
	struct visits *visits = context;
	size_t used = strlen(visits->text);
	snprintf(visits->text + used, sizeof visits->text - used, "%s:%llu%s ", entry_seen->feed,
		(unsigned long long)entry_seen->sequence, entry_seen->waiting ? "w" : "");
	return --visits->stop_after > 0;
}

static void quarantine(
	struct av_txn *txn, const char *feed, uint64_t sequence, bool waiting, unsigned char case_byte)
{
	struct av_quarantined item = {.feed = feed,
		.sequence = sequence,
		.waiting = waiting,
		.attempts = 2,
		.first_at_ms = 1700000000000,
		.cause = {"INVALID", 7},
		.item = {"packed item", 11}};
	memset(&item.case_id, case_byte, sizeof item.case_id);
	av_quarantine_store(txn, &item);
}

static void quarantine_keeps_order_by_feed_and_holds_back_cases(void **state)
{
	struct av_store *store = open_named(state, "quarantine");
	struct av_quarantined got;
	struct visits visits = {"", 100};
	struct av_id case_a, case_b, none;
	memset(&case_a, 0xa, sizeof case_a);
	memset(&case_b, 0xb, sizeof case_b);
	memset(&none, 0, sizeof none);
	struct av_txn *txn = must_write(store);
	assert_false(av_quarantine_holds(txn, "intake", &case_a));
	quarantine(txn, "workflow", 2, false, 0xb);
	quarantine(txn, "intake", 300, true, 0xa);
	quarantine(txn, "intake", 17, false, 0xa);
	quarantine(txn, "intak", 1, false, 0xb);
	assert_true(av_quarantine_holds(txn, "intake", &case_a));
	assert_false(av_quarantine_holds(txn, "intake", &case_b));
	assert_false(av_quarantine_holds(txn, "intake", &none));
	assert_true(av_quarantine_holds(txn, "workflow", &case_b));

	assert_status(av_quarantine_load(txn, "intake", 17, &got), AV_OK);
	assert_int_equal(got.attempts, 2);
	assert_int_equal(got.first_at_ms, 1700000000000);
	assert_false(got.waiting);
	assert_true(av_bytes_equal(got.cause, av_bytes("INVALID", 7)));
	got.attempts = 3; /* stored again from what was loaded, with a longer cause */
	got.cause = av_bytes_of("CONFLICT: the rules refuse it");
	av_quarantine_store(txn, &got);
	must_commit(&txn);

	txn = must_write(store);
	assert_status(av_quarantine_load(txn, "intake", 17, &got), AV_OK);
	assert_int_equal(got.attempts, 3);
	assert_true(av_bytes_equal(got.item, av_bytes("packed item", 11)));
	assert_true(av_bytes_equal(got.cause, av_bytes_of("CONFLICT: the rules refuse it")));
	assert_status(av_quarantine_load(txn, "intake", 18, &got), AV_NOT_FOUND);
	av_quarantine_each(txn, NULL, note, &visits);
	assert_string_equal(visits.text, "intak:1 intake:17 intake:300w workflow:2 ");
	visits = (struct visits){"", 1};
	av_quarantine_each(txn, "intake", note, &visits);
	assert_string_equal(visits.text, "intake:17 ");
	av_quarantine_delete(txn, "intake", 17);
	av_quarantine_delete(txn, "intake", 300);
	assert_false(av_quarantine_holds(txn, "intake", &case_a));
	must_commit(&txn);
	av_store_close(&store);
}

/* Two turns: one of two events, one of one. */
static void a_turns_seal_stands_behind_its_last_event_and_outside_the_chain(void **state)
{
	struct av_store *store = open_named(state, "seals");
	struct av_bytes seal, event;
	uint64_t last = 0, fault = 0, sequence;
	struct av_txn *txn = must_write(store);
	assert_status(av_journal_seal_of(txn, 1, &last, &seal), AV_NOT_FOUND);
	av_journal_append(txn, av_bytes("one", 3), &sequence);
	av_journal_append(txn, av_bytes("two", 3), &sequence);
	av_journal_seal(txn, av_bytes("first seal", 10));
	must_commit(&txn);
	txn = must_write(store);
	av_journal_append(txn, av_bytes("three", 5), &sequence);
	assert_int_equal(sequence, 3);
	av_journal_seal(txn, av_bytes("second seal", 11));
	must_commit(&txn);
	txn = must_read(store);
	for (uint64_t at = 1; at <= 3; at++) {
		assert_status(av_journal_seal_of(txn, at, &last, &seal), AV_OK);
		assert_int_equal(last, at < 3 ? 2 : 3);
		assert_true(av_bytes_equal(seal, av_bytes_of(at < 3 ? "first seal" : "second seal")));
	}
	assert_status(av_journal_seal_of(txn, 4, &last, &seal), AV_NOT_FOUND);
	assert_status(av_journal_read(txn, 2, &event, NULL), AV_OK);
	assert_true(av_bytes_equal(event, av_bytes_of("two")));
	assert_status(av_journal_check(txn, &fault), AV_OK);
	av_txn_abort(&txn);
	av_store_close(&store);
	struct av_store_options options = test_options(in_folder(state, "seals"));
	store = must_open(&options);
	assert_int_equal(append(store, "four"), 4);
	/* An event cut off from before its seal is noticed. */
	unsigned char key[8];
	txn = must_write(store);
	entry(2, key);
	av_delete(txn, AV_TABLE_JOURNAL, av_bytes(key, sizeof key));
	assert_status(av_journal_check(txn, &fault), AV_DAMAGED);
	assert_int_equal(fault, 2);
	av_txn_abort(&txn);
	av_store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_entry_is_chained_to_the_one_before),
		cmocka_unit_test(an_aborted_turn_leaves_no_gap),
		cmocka_unit_test(a_position_is_confirmed_by_sequence_hash_and_epoch),
		cmocka_unit_test(the_check_names_the_sequence_at_fault),
		cmocka_unit_test(a_cut_off_journal_takes_no_more),
		cmocka_unit_test(a_turns_seal_stands_behind_its_last_event_and_outside_the_chain),
		cmocka_unit_test(a_cursor_is_kept_as_it_was),
		cmocka_unit_test(a_reference_is_its_principals_own),
		cmocka_unit_test(quarantine_keeps_order_by_feed_and_holds_back_cases),
	};
	return cmocka_run_group_tests(tests, test_folder_make, test_folder_remove);
}
