/* seal_receipt.c - a receipt proves what it says, and no field of it can be changed */
#include "store_support.h"

#include "base/ids.h"
#include "seal/receipt.h"

enum { LEAVES = 5, MINE = 2 };

/* A turn of five reports, and the receipt of the third. */
struct proof {
	struct av_arena *arena;
	unsigned char public_key[AV_SIGN_PUBLIC_SIZE];
	struct av_bytes report;
	Avvik__V1__Receipt receipt;
	Avvik__V1__ReceiptLeaf leaf;
	Avvik__V1__TurnSeal turn;
	ProtobufCBinaryData path[AV_MERKLE_DEPTH];
};

static ProtobufCBinaryData filled(struct av_arena *arena, size_t size, int with)
{
	unsigned char *data = av_arena_alloc(arena, size);
	memset(data, with, size);
	return (ProtobufCBinaryData){size, data};
}

static int make_proof(void **state)
{
	static struct proof proof;
	unsigned char hashes[LEAVES][AV_HASH_SIZE], path[AV_MERKLE_DEPTH][AV_HASH_SIZE],
		secret[AV_SIGN_SECRET_SIZE];
	struct av_random random = av_random_seeded(3);
	struct proof *p = &proof;
	av_crypto_start();
	*p = (struct proof){.arena = av_arena_create(0), .report = av_bytes_of("the packed report")};
	av_sign_keypair(&random, p->public_key, secret);
	avvik__v1__receipt__init(&p->receipt);
	avvik__v1__receipt_leaf__init(&p->leaf);
	avvik__v1__turn_seal__init(&p->turn);
	p->receipt.blinding = filled(p->arena, 32, 0x5a);
	for (int i = 0; i < LEAVES; i++) {
		Avvik__V1__ReceiptLeaf leaf = AVVIK__V1__RECEIPT_LEAF__INIT;
		leaf.report_id = filled(p->arena, AV_ID_SIZE, i + 1);
		leaf.commitment = filled(p->arena, AV_HASH_SIZE, i);
		leaf.sequence = 100 + (uint64_t)i;
		leaf.received_at_ms = 1700000000000;
		leaf.recorded_at_ms = 1700000000001;
		if (i == MINE) {
			av_commitment(p->receipt.blinding.data, p->report, leaf.commitment.data);
			p->leaf = leaf;
		}
		assert_status(av_receipt_leaf_hash(&leaf, p->arena, hashes[i]), AV_OK);
	}
	p->turn.instance = av_arena_strdup(p->arena, "socialnamnden");
	p->turn.epoch_id = filled(p->arena, AV_ID_SIZE, 9);
	p->turn.first_sequence = 100;
	p->turn.last_sequence = 110;
	p->turn.chain_hash = filled(p->arena, AV_HASH_SIZE, 8);
	p->turn.merkle_root = filled(p->arena, AV_HASH_SIZE, 0);
	p->turn.leaves = LEAVES;
	p->turn.sealed_at_ms = 1700000000001;
	av_merkle_root(hashes[0], LEAVES, p->turn.merkle_root.data);
	assert_status(av_turn_sign(&p->turn, secret, p->arena), AV_OK);

	size_t length = av_merkle_path(hashes[0], LEAVES, MINE, path);
	for (size_t i = 0; i < length; i++) {
		p->path[i] = filled(p->arena, AV_HASH_SIZE, 0);
		memcpy(p->path[i].data, path[i], AV_HASH_SIZE);
	}
	p->receipt.instance = av_arena_strdup(p->arena, "socialnamnden");
	p->receipt.leaf = &p->leaf;
	p->receipt.turn = &p->turn;
	p->receipt.path = p->path;
	p->receipt.n_path = length;
	p->receipt.index = MINE;
	p->receipt.count = LEAVES;
	*state = p;
	return 0;
}

static int end_proof(void **state)
{
	struct proof *p = *state;
	av_arena_destroy(&p->arena);
	return 0;
}

static int check(struct proof *p, struct av_bytes report)
{
	const char *text = NULL;
	int status = av_receipt_check(&p->receipt, p->public_key, report, p->arena, &text);
	assert_non_null(text);
	return status;
}

static void a_receipt_holds_with_and_without_its_report(void **state)
{
	struct proof *p = *state;
	assert_status(check(p, p->report), AV_OK);
	assert_status(check(p, av_bytes("", 0)), AV_OK);
}

static void it_holds_after_being_packed_and_read_again(void **state)
{
	struct proof *p = *state;
	ProtobufCMessage *message = NULL;
	const char *text;
	struct av_bytes packed = av_message_pack(&p->receipt.base, p->arena);
	assert_status(av_message_load(&avvik__v1__receipt__descriptor, packed, p->arena, &message), AV_OK);
	assert_status(
		av_receipt_check((Avvik__V1__Receipt *)message, p->public_key, p->report, p->arena, &text),
		AV_OK);
}

/* By changing every single bit of the packed receipt. */
static void no_byte_of_it_can_be_changed(void **state)
{
	struct proof *p = *state;
	struct av_bytes packed = av_message_pack(&p->receipt.base, p->arena);
	unsigned char *copy = av_arena_copy(p->arena, packed.data, packed.size);
	struct av_arena *arena = av_arena_create(0);
	size_t held = 0, parsed = 0;
	for (size_t bit = 0; bit < packed.size * 8; bit++) {
		ProtobufCMessage *message = NULL;
		const char *text = NULL;
		copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
		if (av_message_load(&avvik__v1__receipt__descriptor, av_bytes(copy, packed.size), arena,
			    &message) == AV_OK) {
			int status = av_receipt_check(
				(Avvik__V1__Receipt *)message, p->public_key, p->report, arena, &text);
			held += status == AV_OK;
			parsed++;
		}
		copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
		av_arena_reset(arena);
	}
	av_arena_destroy(&arena);
	assert_true(parsed > packed.size * 4); /* most changes can be read, or this proves nothing */
	assert_int_equal(held, 0);
}

#define REFUSED_WHEN(change, undo, want)                                                  \
	do {                                                                              \
		change;                                                                   \
		int status_ = check(p, p->report);                                        \
		undo;                                                                     \
		if (status_ != (want))                                                    \
			fail_msg("%s: got %s, want %s", #change, av_status_name(status_), \
				av_status_name(want));                                    \
	} while (0)

static void each_field_of_it_counts(void **state)
{
	struct proof *p = *state;
	char *instance = p->turn.instance, other[] = "other";
	REFUSED_WHEN(p->receipt.instance = other, p->receipt.instance = instance, AV_CRYPTO);
	REFUSED_WHEN(p->receipt.index++, p->receipt.index--, AV_CRYPTO);
	REFUSED_WHEN(p->receipt.count++, p->receipt.count--, AV_CRYPTO);
	REFUSED_WHEN(p->receipt.n_path--, p->receipt.n_path++, AV_CRYPTO);
	REFUSED_WHEN(p->path[1].data[3] ^= 1, p->path[1].data[3] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->path[1].len--, p->path[1].len++, AV_INVALID);
	REFUSED_WHEN(p->receipt.blinding.data[0] ^= 1, p->receipt.blinding.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->receipt.blinding.len = 0, p->receipt.blinding.len = 32, AV_INVALID);
	REFUSED_WHEN(p->receipt.leaf = NULL, p->receipt.leaf = &p->leaf, AV_INVALID);
	REFUSED_WHEN(p->receipt.turn = NULL, p->receipt.turn = &p->turn, AV_INVALID);
	REFUSED_WHEN(p->leaf.report_id.data[0] ^= 1, p->leaf.report_id.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->leaf.report_id.len--, p->leaf.report_id.len++, AV_INVALID);
	REFUSED_WHEN(p->leaf.commitment.data[0] ^= 1, p->leaf.commitment.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->leaf.sequence++, p->leaf.sequence--, AV_CRYPTO);
	REFUSED_WHEN(p->leaf.received_at_ms--, p->leaf.received_at_ms++, AV_CRYPTO);
	REFUSED_WHEN(p->leaf.recorded_at_ms--, p->leaf.recorded_at_ms++, AV_CRYPTO);
	REFUSED_WHEN(p->turn.instance = other, p->turn.instance = instance, AV_CRYPTO);
	REFUSED_WHEN(p->turn.epoch_id.data[0] ^= 1, p->turn.epoch_id.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->turn.first_sequence++, p->turn.first_sequence--, AV_CRYPTO);
	REFUSED_WHEN(p->turn.last_sequence++, p->turn.last_sequence--, AV_CRYPTO);
	REFUSED_WHEN(p->turn.chain_hash.data[0] ^= 1, p->turn.chain_hash.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->turn.merkle_root.data[0] ^= 1, p->turn.merkle_root.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->turn.leaves++, p->turn.leaves--, AV_CRYPTO);
	REFUSED_WHEN(p->turn.sealed_at_ms++, p->turn.sealed_at_ms--, AV_CRYPTO);
	REFUSED_WHEN(p->turn.signature.data[0] ^= 1, p->turn.signature.data[0] ^= 1, AV_CRYPTO);
	REFUSED_WHEN(p->public_key[0] ^= 1, p->public_key[0] ^= 1, AV_CRYPTO);
	assert_status(check(p, p->report), AV_OK); /* all of it was undone */
}

static void another_report_does_not_hold(void **state)
{
	struct proof *p = *state;
	assert_status(check(p, av_bytes_of("the packed repord")), AV_CRYPTO);
	assert_status(check(p, av_bytes_of("the packed report ")), AV_CRYPTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receipt_holds_with_and_without_its_report),
		cmocka_unit_test(it_holds_after_being_packed_and_read_again),
		cmocka_unit_test(no_byte_of_it_can_be_changed),
		cmocka_unit_test(each_field_of_it_counts),
		cmocka_unit_test(another_report_does_not_hold),
	};
	return cmocka_run_group_tests(tests, make_proof, end_proof);
}
