/* journal.c - the journal and the feed cursors.
 *
 * Record (JOURNAL, key: sequence u64): chain hash 32, packed Event. chain hash = H(previous hash, sequence
 * u64, event), the previous of the first being 32 zero bytes. An event "abc" at sequence 1:
 *
 *	key   0000000000000001
 *	value <32 bytes: BLAKE2b-256 of 32 zero bytes, 0000000000000001, 616263> 616263
 *
 * Behind the last event of a turn its seal (key: that sequence and "s"): a packed TurnSeal.
 *
 * META "head" repeats the last sequence and hash (40 bytes), so that a journal whose end was cut off is
 * noticed. Within a transaction the head is kept in memory: it is read at the first use and written back once,
 * at the commit.
 *
 * Record (META, key: "cursor:" and the feed's name): epoch 16, sequence u64, chain hash 32, view 32.
 */
#include "store/store_internal.h"

#include <stdio.h>
#include "seal/crypto.h"

#define HEAD_SIZE (8 + AV_CHAIN_SIZE)
#define CURSOR_SIZE (AV_ID_SIZE + 8 + AV_CHAIN_SIZE + 32)

static const char head_key[] = "head", epoch_key[] = "epoch";

static void pack_head(const struct av_position *head, unsigned char ret_bytes[HEAD_SIZE])
{
	av_put_u64(ret_bytes, head->sequence);
	memcpy(ret_bytes + 8, head->hash, AV_CHAIN_SIZE);
}

static void chain(const unsigned char previous[AV_CHAIN_SIZE], const unsigned char sequence[8],
	struct av_bytes event, unsigned char *ret_hash)
{
	const struct av_bytes pieces[] = {{previous, AV_CHAIN_SIZE}, {sequence, 8}, event};
	av_hash_pieces(pieces, AV_COUNT(pieces), ret_hash);
}

static int load_head(struct av_txn *txn)
{
	struct av_bytes key, value, recorded;
	struct av_position head = {0};
	unsigned char packed[HEAD_SIZE];
	if (txn->head_known)
		return txn->error;
	if (av_get(txn, AV_TABLE_META, av_bytes_of(epoch_key), &value) != AV_OK || value.size != AV_ID_SIZE) {
		av_txn_fail(txn, AV_DAMAGED);
		return txn->error;
	}
	memcpy(head.epoch.bytes, value.data, AV_ID_SIZE);
	int status = av_last(txn, AV_TABLE_JOURNAL, av_bytes("", 0), &key, &value);
	if (status == AV_OK && key.size == AV_JOURNAL_SEAL_KEY) {
		key.size = 8;
		status = av_get(txn, AV_TABLE_JOURNAL, key, &value);
	}
	int recorded_status = av_get(txn, AV_TABLE_META, av_bytes_of(head_key), &recorded);
	if (txn->error != AV_OK)
		return txn->error;
	bool sound = status == recorded_status;
	if (sound && status == AV_OK) {
		sound = key.size == 8 && value.size >= AV_CHAIN_SIZE;
		if (sound) {
			head.sequence = av_get_u64(key.data);
			memcpy(head.hash, value.data, AV_CHAIN_SIZE);
			pack_head(&head, packed);
			sound = av_bytes_equal(recorded, av_bytes(packed, sizeof packed));
		}
	}
	if (!sound) {
		av_txn_fail(txn, AV_DAMAGED);
		return txn->error;
	}
	txn->head = head;
	txn->head_known = true;
	return AV_OK;
}

int av_journal_head(struct av_txn *txn, struct av_position *ret_head)
{
	int status = load_head(txn);
	if (status == AV_OK)
		*ret_head = txn->head;
	return status;
}

void av_journal_append(struct av_txn *txn, struct av_bytes event, uint64_t *ret_sequence)
{
	unsigned char key[8];
	if (load_head(txn) != AV_OK)
		return;
	av_put_u64(key, txn->head.sequence + 1);
	unsigned char *room =
		av_put_room(txn, AV_TABLE_JOURNAL, av_bytes(key, sizeof key), AV_CHAIN_SIZE + event.size);
	if (!room)
		return;
	chain(txn->head.hash, key, event, room);
	if (event.size)
		memcpy(room + AV_CHAIN_SIZE, event.data, event.size);
	memcpy(txn->head.hash, room, AV_CHAIN_SIZE);
	txn->head.sequence++;
	txn->head_moved = true;
	*ret_sequence = txn->head.sequence;
}

static struct av_bytes seal_key(uint64_t sequence, unsigned char ret_key[AV_JOURNAL_SEAL_KEY])
{
	av_put_u64(ret_key, sequence);
	ret_key[8] = 's';
	return av_bytes(ret_key, AV_JOURNAL_SEAL_KEY);
}

void av_journal_seal(struct av_txn *txn, struct av_bytes seal)
{
	unsigned char key[AV_JOURNAL_SEAL_KEY];
	if (load_head(txn) == AV_OK)
		av_put(txn, AV_TABLE_JOURNAL, seal_key(txn->head.sequence, key), seal);
}

int av_journal_seal_of(struct av_txn *txn, uint64_t sequence, uint64_t *ret_last, struct av_bytes *ret_seal)
{
	unsigned char key[8];
	int status = AV_NOT_FOUND;
	av_put_u64(key, sequence);
	struct av_iter it = av_iter(txn, AV_TABLE_JOURNAL, av_bytes(NULL, 0), av_bytes(key, sizeof key));
	while (status == AV_NOT_FOUND && av_iter_next(&it)) {
		if (it.key.size != AV_JOURNAL_SEAL_KEY)
			continue;
		*ret_last = av_get_u64(it.key.data);
		*ret_seal = it.value;
		status = AV_OK;
	}
	av_iter_end(&it);
	return status == AV_OK ? AV_OK : txn->error != AV_OK ? txn->error : status;
}

void store_journal_seal(struct av_txn *txn)
{
	unsigned char packed[HEAD_SIZE];
	if (!txn->head_moved)
		return;
	pack_head(&txn->head, packed);
	av_put(txn, AV_TABLE_META, av_bytes_of(head_key), av_bytes(packed, sizeof packed));
}

int av_journal_read(struct av_txn *txn, uint64_t sequence, struct av_bytes *ret_event,
	unsigned char ret_hash[AV_CHAIN_SIZE])
{
	unsigned char key[8];
	struct av_bytes value;
	av_put_u64(key, sequence);
	int status = av_get(txn, AV_TABLE_JOURNAL, av_bytes(key, sizeof key), &value);
	if (status != AV_OK)
		return status;
	if (value.size < AV_CHAIN_SIZE) {
		av_txn_fail(txn, AV_DAMAGED);
		return txn->error;
	}
	if (ret_hash)
		memcpy(ret_hash, value.data, AV_CHAIN_SIZE);
	*ret_event = av_bytes((const unsigned char *)value.data + AV_CHAIN_SIZE, value.size - AV_CHAIN_SIZE);
	return AV_OK;
}

int av_journal_confirm(struct av_txn *txn, const struct av_position *position)
{
	unsigned char hash[AV_CHAIN_SIZE] = {0};
	struct av_bytes event;
	int status = load_head(txn);
	if (status == AV_OK && position->sequence > 0)
		status = av_journal_read(txn, position->sequence, &event, hash);
	if (status != AV_OK)
		return status;
	if (memcmp(hash, position->hash, AV_CHAIN_SIZE) != 0)
		return AV_NOT_FOUND;
	return memcmp(&position->epoch, &txn->head.epoch, sizeof position->epoch) == 0 ? AV_OK : AV_NOTHING;
}

void av_journal_new_epoch(struct av_txn *txn, struct av_random *random)
{
	struct av_id epoch;
	if (load_head(txn) != AV_OK)
		return;
	av_random_fill(random, epoch.bytes, sizeof epoch.bytes);
	av_put(txn, AV_TABLE_META, av_bytes_of(epoch_key), av_bytes(epoch.bytes, sizeof epoch.bytes));
	txn->head.epoch = epoch;
}

int av_journal_check(struct av_txn *txn, uint64_t *ret_sequence)
{
	unsigned char hash[AV_CHAIN_SIZE] = {0}, key[8], at_seal[AV_JOURNAL_SEAL_KEY], packed[HEAD_SIZE];
	struct av_bytes recorded;
	struct av_position end = {0};
	uint64_t sequence = 1;
	struct av_iter it = av_iter(txn, AV_TABLE_JOURNAL, av_bytes("", 0), av_bytes("", 0));
	for (; av_iter_next(&it); sequence++) {
		if (sequence > 1 && av_bytes_equal(it.key, seal_key(sequence - 1, at_seal))) {
			sequence--;
			continue;
		}
		av_put_u64(key, sequence);
		if (!av_bytes_equal(it.key, av_bytes(key, sizeof key)) || it.value.size < AV_CHAIN_SIZE)
			break;
		const unsigned char *value = it.value.data;
		chain(hash, key, av_bytes(value + AV_CHAIN_SIZE, it.value.size - AV_CHAIN_SIZE), hash);
		if (memcmp(hash, value, AV_CHAIN_SIZE) != 0)
			break;
	}
	bool broken = it.cursor != NULL;
	av_iter_end(&it);
	if (txn->error != AV_OK) {
		*ret_sequence = sequence;
		return txn->error;
	}
	/* In a transaction that appends, the end is not recorded yet. */
	if (!broken && !txn->head_moved) {
		end.sequence = sequence - 1;
		memcpy(end.hash, hash, AV_CHAIN_SIZE);
		pack_head(&end, packed);
		int status = av_get(txn, AV_TABLE_META, av_bytes_of(head_key), &recorded);
		broken = status == AV_OK ? !av_bytes_equal(recorded, av_bytes(packed, sizeof packed))
					 : sequence != 1;
	}
	if (!broken)
		return AV_OK;
	*ret_sequence = sequence;
	return AV_DAMAGED;
}

static struct av_bytes cursor_key(struct av_txn *txn, const char *feed, char ret_key[AV_KEY_MAX])
{
	int size = snprintf(ret_key, AV_KEY_MAX, "cursor:%s", feed);
	if (size < 0 || size >= AV_KEY_MAX) {
		av_txn_fail(txn, AV_TOO_LARGE);
		size = 0;
	}
	return av_bytes(ret_key, (size_t)size);
}

int av_cursor_load(struct av_txn *txn, const char *feed, struct av_cursor *ret_cursor)
{
	char key[AV_KEY_MAX];
	struct av_bytes value;
	int status = av_get(txn, AV_TABLE_META, cursor_key(txn, feed, key), &value);
	if (status != AV_OK)
		return status;
	const unsigned char *from = value.data;
	if (value.size != CURSOR_SIZE) {
		av_txn_fail(txn, AV_DAMAGED);
		return txn->error;
	}
	memcpy(ret_cursor->position.epoch.bytes, from, AV_ID_SIZE);
	ret_cursor->position.sequence = av_get_u64(from + AV_ID_SIZE);
	memcpy(ret_cursor->position.hash, from + AV_ID_SIZE + 8, AV_CHAIN_SIZE);
	memcpy(ret_cursor->view, from + AV_ID_SIZE + 8 + AV_CHAIN_SIZE, 32);
	return AV_OK;
}

void av_cursor_store(struct av_txn *txn, const char *feed, const struct av_cursor *cursor)
{
	unsigned char value[CURSOR_SIZE];
	char key[AV_KEY_MAX];
	memcpy(value, cursor->position.epoch.bytes, AV_ID_SIZE);
	av_put_u64(value + AV_ID_SIZE, cursor->position.sequence);
	memcpy(value + AV_ID_SIZE + 8, cursor->position.hash, AV_CHAIN_SIZE);
	memcpy(value + AV_ID_SIZE + 8 + AV_CHAIN_SIZE, cursor->view, 32);
	av_put(txn, AV_TABLE_META, cursor_key(txn, feed, key), av_bytes(value, sizeof value));
}

void av_cursor_forget(struct av_txn *txn, const char *feed)
{
	char key[AV_KEY_MAX];
	av_delete(txn, AV_TABLE_META, cursor_key(txn, feed, key));
}
