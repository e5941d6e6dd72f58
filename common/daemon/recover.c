/* recover.c - marks of the item under way, items set aside, the first acts of a journal, and upkeep of keys
 *
 * The mark is a mapped file that is never synced: it outlives the process, which is what it is for, and costs
 * a few stores per item. An item that was under way when the process ended is counted at the next start
 * (AV_TABLE_ATTEMPTS); the second time it is set aside: a feed event goes to quarantine, a command is
 * answered FAILED. What the daemon owes itself is held back for ten minutes after each start and then tried
 * again: two kills that had nothing to do with it must not end all deadlines. Success takes the count away.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/turn_inner.h"

#define MAGIC "AVVIKMK"
#define SET_ASIDE_AT 2u
#define DOOMED_AT_ONCE 4096u
#define HELD_BACK_MS INT64_C(600000)

int marks_open(struct av_turn *turn)
{
	struct stat info;
	if (!turn->o.marks_path)
		return AV_OK;
	int fd = open(turn->o.marks_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return AV_IO;
	bool fresh = fstat(fd, &info) == 0 && info.st_size != (off_t)sizeof(struct mark);
	if (fresh && (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)sizeof(struct mark)) < 0)) {
		close(fd);
		return AV_IO;
	}
	void *mapped = mmap(NULL, sizeof(struct mark), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		return AV_IO;
	turn->mark = mapped;
	if (memcmp(turn->mark->magic, MAGIC, sizeof turn->mark->magic) != 0) {
		memset(turn->mark, 0, sizeof *turn->mark);
		memcpy(turn->mark->magic, MAGIC, sizeof turn->mark->magic);
	}
	return AV_OK;
}

void marks_close(struct av_turn *turn)
{
	if (turn->mark && turn->mark != &turn->mark_none)
		munmap(turn->mark, sizeof *turn->mark);
	turn->mark = &turn->mark_none;
}

void mark_set(struct av_turn *turn, enum av_item_kind kind, const char *source, uint64_t sequence,
	const unsigned char hash[16])
{
	struct mark *mark = turn->mark;
	size_t length = AV_MIN(strlen(source), (size_t)FEED_NAME_MAX);
	mark->state = 0;
	atomic_signal_fence(memory_order_seq_cst);
	mark->kind = (uint32_t)kind;
	mark->sequence = sequence;
	memcpy(mark->hash, hash, sizeof mark->hash);
	memcpy(mark->source, source, length);
	mark->source[length] = '\0';
	atomic_signal_fence(memory_order_seq_cst);
	mark->state = 1;
}

void mark_clear(struct av_turn *turn)
{
	turn->mark->state = 0;
}

void feed_mark_hash(const char *feed, uint64_t sequence, unsigned char ret_hash[AV_HASH_SIZE])
{
	unsigned char number[8];
	av_put_u64(number, sequence);
	struct av_bytes pieces[] = {av_bytes(feed, strlen(feed) + 1), av_bytes(number, sizeof number)};
	av_hash_pieces(pieces, AV_COUNT(pieces), ret_hash);
}

static uint32_t crash_count(struct av_txn *txn, const unsigned char hash[16])
{
	struct av_bytes value;
	if (av_get(txn, AV_TABLE_ATTEMPTS, av_bytes(hash, 16), &value) != AV_OK || value.size != 4)
		return 0;
	return av_get_u32(value.data);
}

bool set_aside(struct av_turn *turn, const unsigned char hash[16])
{
	return turn->crash_records > 0 && crash_count(turn->txn, hash) >= SET_ASIDE_AT;
}

bool held_back(struct av_turn *turn, const unsigned char hash[16])
{
	return turn->now_ms < turn->recovered_at_ms + HELD_BACK_MS && set_aside(turn, hash);
}

void set_aside_forget(struct av_turn *turn, const unsigned char hash[16])
{
	if (turn->crash_records > 0 && crash_count(turn->txn, hash) > 0) {
		av_delete(turn->txn, AV_TABLE_ATTEMPTS, av_bytes(hash, 16));
		turn->dirty = true;
	}
}

/* --- at start --- */

static int item_ended_process(struct av_turn *turn)
{
	static const char *const kinds[] = {"command", "feed", "due", "inner", "principals"};
	struct mark *mark = turn->mark;
	unsigned char hash[AV_HASH_SIZE], count[4];
	if (mark->state != 1 || mark->kind >= AV_COUNT(kinds))
		return AV_OK;
	mark->source[FEED_NAME_MAX] = '\0';
	memcpy(hash, mark->hash, sizeof mark->hash);
	if (mark->kind == AV_ITEM_FEED)
		feed_mark_hash(mark->source, mark->sequence, hash);
	uint32_t times = crash_count(turn->txn, hash) + 1;
	av_put_u32(count, times);
	av_put(turn->txn, AV_TABLE_ATTEMPTS, av_bytes(hash, 16), av_bytes(count, sizeof count));
	turn->dirty = true;
	if (times != SET_ASIDE_AT)
		return AV_OK;
	Avvik__V1__ItemSetAside *body =
		AV_NEW(turn->arena, Avvik__V1__ItemSetAside, avvik__v1__item_set_aside);
	uint8_t *kept = av_arena_copy(turn->arena, hash, 16);
	if (!body || !kept)
		return AV_MEMORY;
	body->source = av_arena_printf(turn->arena, "%s %s", kinds[mark->kind], mark->source);
	body->sequence = mark->kind == AV_ITEM_FEED ? mark->sequence : 0;
	body->hash = (ProtobufCBinaryData){16, kept};
	body->cause = (char *)(uintptr_t) "it has ended the process twice";
	return body->source ? turn_emit_own(turn, AVVIK__V1__EVENT__BODY_ITEM_SET_ASIDE, body) : AV_MEMORY;
}

static int store_made(struct av_turn *turn)
{
	if (turn->head.sequence > 0)
		return AV_OK;
	Avvik__V1__StoreMade *body = AV_NEW(turn->arena, Avvik__V1__StoreMade, avvik__v1__store_made);
	if (!body)
		return AV_MEMORY;
	body->daemon = (char *)(uintptr_t)turn->o.service->name;
	body->instance = (char *)(uintptr_t)turn->o.instance;
	body->format = AV_STORE_FORMAT;
	body->stepped_clock = turn->o.stepped;
	return turn_emit_own(turn, AVVIK__V1__EVENT__BODY_STORE_MADE, body);
}

/* META "restored": epoch 16, sequence u64, note. Left by --restore; see backup.c. */
static int journal_restored(struct av_turn *turn)
{
	struct av_bytes value;
	if (av_get(turn->txn, AV_TABLE_META, av_bytes_of("restored"), &value) != AV_OK)
		return AV_OK;
	if (value.size < AV_ID_SIZE + 8)
		return AV_DAMAGED;
	const unsigned char *at = av_arena_copy(turn->arena, value.data, value.size);
	char *note = av_arena_zalloc(turn->arena, value.size - AV_ID_SIZE - 8 + 1);
	Avvik__V1__JournalRestored *body =
		AV_NEW(turn->arena, Avvik__V1__JournalRestored, avvik__v1__journal_restored);
	if (!at || !note || !body)
		return AV_MEMORY;
	memcpy(note, at + AV_ID_SIZE + 8, value.size - AV_ID_SIZE - 8);
	body->from_epoch_id = (ProtobufCBinaryData){AV_ID_SIZE, (uint8_t *)(uintptr_t)at};
	body->sequence = av_get_u64(at + AV_ID_SIZE);
	body->note = note;
	av_delete(turn->txn, AV_TABLE_META, av_bytes_of("restored"));
	return turn_emit_own(turn, AVVIK__V1__EVENT__BODY_JOURNAL_RESTORED, body);
}

int av_turn_recover(struct av_turn *turn, int64_t now_ms)
{
	struct av_turn_result result = {0};
	turn->now_ms = turn->recovered_at_ms = now_ms;
	turn->result = &result;
	int status = attempt_begin(turn);
	if (status < 0)
		return status;
	/* JournalRestored is the first event of its epoch: consumers tell the histories apart by it
	 * (feed_record.c). */
	status = journal_restored(turn);
	if (status == AV_OK)
		status = store_made(turn);
	if (status == AV_OK)
		status = item_ended_process(turn);
	if (status < 0) {
		attempt_abort(turn);
		return status;
	}
	turn->crash_records = av_table_count(turn->txn, AV_TABLE_ATTEMPTS);
	status = attempt_end(turn, NULL, 0);
	turn->result = NULL;
	if (status < 0)
		return status;
	/* A full disk is no reason not to start: the writer tries again, and health tells. */
	while (av_turn_upkeep(turn, now_ms) == AV_OK)
		;
	return AV_OK;
}

/* --- between turns --- */

static int destroy_doomed(struct av_turn *turn)
{
	static uint64_t numbers[DOOMED_AT_ONCE]; /* of the one writer thread */
	struct av_txn *txn;
	int status = av_txn_begin_read(turn->o.store, &txn);
	if (status < 0)
		return status;
	size_t count = av_content_doomed(txn, numbers, DOOMED_AT_ONCE);
	av_txn_abort(&txn);
	if (count == 0)
		return AV_NOTHING;
	status = av_keystore_destroy(turn->o.keys, numbers, count);
	if (status < 0)
		return status;
	status = av_txn_begin_write(turn->o.store, &txn);
	if (status < 0)
		return status;
	av_content_destroyed(txn, numbers, count);
	return av_txn_commit(&txn);
}

int av_turn_upkeep(struct av_turn *turn, int64_t now_ms)
{
	struct av_txn *txn;
	AV_UNUSED(now_ms);
	int status = av_txn_begin_read(turn->o.store, &txn);
	if (status < 0)
		return status;
	uint64_t next = AV_MAX(av_counter(txn, "next_key"), AV_KEY_FIRST_CONTENT);
	av_txn_abort(&txn);
	uint64_t low = AV_MAX((uint64_t)KEYS_LOW, 2 * (uint64_t)turn->keys_used);
	atomic_fetch_add_explicit(&turn->progress, 1, memory_order_relaxed);
	if (av_keystore_end(turn->o.keys) < next + low) {
		status = av_keystore_extend(turn->o.keys, next + 2 * low);
		return status;
	}
	return destroy_doomed(turn);
}
