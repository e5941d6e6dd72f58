/* store.c - a store's data file as it comes back from a backup or a failing disk, under the fuzzer: opened for reading (as
 * `verify` does), and if it is taken, read from end to end.
 *
 * An input is a row of changes to a sound file:
 *	0 page u8, offset u16, size u8, bytes     put there            2 page u8, page u8     one page over another
 *	1 page u8, offset u16, value u8           16 bits set to it    3 pages u8             cut off there
 *
 * LMDB believes what it maps: what must hold is that whatever the look beforehand lets through ends no process. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/status.h"
#include "libfuzzer.h"
#include "must.h"
#include "seal/crypto.h"
#include "store/store.h"

#define PAGE 4096u
#define EVENTS 300
#define LARGE_EVERY 40

static struct av_random fuzz_random;
static char folder[200], file[256];
static unsigned char *sound, *changed;
static size_t sound_size;

static const struct av_table_decl tables[] = {
	{"plain", 0}, {"facts", AV_PROJECTION}, {"growing", AV_APPENDED}};

static struct av_store_options options(bool read_only)
{
	return (struct av_store_options){.path = folder,
		.map_bytes = (size_t)16 << 20,
		.tables = tables,
		.table_count = AV_COUNT(tables),
		.daemon = "intake",
		.instance = "test",
		.read_only = read_only,
		.now_ms = 1};
}

static void put(const unsigned char *from, size_t *at, size_t size, unsigned char *to)
{
	memset(to, 0, size);
	for (size_t i = 0; i < size; i++)
		to[i] = from[(*at)++];
}

/* Answers the size of the changed file. */
static size_t change(const uint8_t *data, size_t size)
{
	size_t pages = sound_size / PAGE, left = sound_size;
	memcpy(changed, sound, sound_size);
	for (size_t at = 0; at + 5 <= size;) {
		unsigned char head[5];
		put(data, &at, sizeof head, head);
		unsigned char *page = changed + (head[1] % pages) * PAGE;
		size_t offset = (head[2] | (size_t)head[3] << 8) % PAGE;
		switch (head[0] % 4) {
		case 0: {
			size_t count = AV_MIN(AV_MIN((size_t)head[4], size - at), PAGE - offset);
			memcpy(page + offset, data + at, count);
			at += count;
			break;
		}
		case 1:
			page[offset & ~(size_t)1] = head[4];
			page[offset | 1] = 0;
			break;
		case 2:
			memmove(page, changed + (head[2] % pages) * PAGE, PAGE);
			break;
		default:
			left = AV_MIN(left, (1 + head[1] % pages) * PAGE);
		}
	}
	return left;
}

static void read_all(struct av_store *store)
{
	struct av_txn *txn;
	uint64_t sequence, sum = 0;
	if (av_txn_begin_read(store, &txn) != AV_OK)
		return;
	(void)av_journal_check(txn, &sequence);
	for (unsigned int table = 0; av_store_table(store, table); table++) {
		struct av_iter it = av_iter(txn, table, av_bytes(NULL, 0), av_bytes(NULL, 0));
		while (av_iter_next(&it)) {
			for (size_t i = 0; i < it.key.size; i++)
				sum += ((const unsigned char *)it.key.data)[i];
			for (size_t i = 0; i < it.value.size; i++)
				sum += ((const unsigned char *)it.value.data)[i];
		}
		av_iter_end(&it);
	}
	static volatile uint64_t kept;
	kept = sum;
	AV_UNUSED(kept);
	av_txn_abort(&txn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct av_store_options as = options(true);
	struct av_store *store = NULL;
	const char *why = NULL;
	size_t left = change(data, size);
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, changed, left) == (ssize_t)left && close(fd) == 0, "%s", file);
	int status = av_store_open(&as, &fuzz_random, &store, &why);
	if (status == AV_OK)
		read_all(store);
	else
		MUST(why && *why, "refused without a word");
	av_store_close(&store);
	return 0;
}

/* A store in use for a while: trees of two levels, long values, freed pages. */
static void grow(struct av_store *store)
{
	static unsigned char large[3 * PAGE];
	for (unsigned int n = 0; n < EVENTS; n++) {
		struct av_txn *txn;
		unsigned char key[8], text[100];
		uint64_t sequence;
		MUST(av_txn_begin_write(store, &txn) == AV_OK, "the store");
		av_put_u64(key, n);
		memset(text, 'a' + (int)(n % 26), sizeof text);
		av_journal_append(txn, av_bytes(text, 20 + n % 80), &sequence);
		for (unsigned int table = AV_TABLE_OWN; table < AV_TABLE_OWN + AV_COUNT(tables); table++)
			av_put(txn, table, av_bytes(key, sizeof key), av_bytes(text, n % sizeof text));
		if (n % LARGE_EVERY == 0)
			av_put(txn, AV_TABLE_CONTENT, av_bytes(key, sizeof key),
				av_bytes(large, sizeof large));
		if (n % 3 == 0)
			av_delete(txn, AV_TABLE_OWN, av_bytes(key, sizeof key));
		MUST(av_txn_commit(&txn) == AV_OK, "the store does not grow");
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *temporary = getenv("TMPDIR"), *why = "";
	struct av_store_options as = options(false);
	struct av_store *store;
	struct stat info;
	char copied[240];
	AV_UNUSED(argc);
	AV_UNUSED(argv);
	fuzz_random = av_random_seeded(5);
	snprintf(folder, sizeof folder, "%.150s/avvik-store-XXXXXX", temporary ? temporary : "/tmp");
	MUST(av_crypto_start() == AV_OK && mkdtemp(folder), "%s", folder);
	MUST(av_store_open(&as, &fuzz_random, &store, &why) == AV_OK, "%s", why);
	grow(store);
	/* A copy has no lock, as in a backup. */
	snprintf(copied, sizeof copied, "%s/copy", folder);
	MUST(av_store_copy(store, copied) == AV_OK, "no copy");
	av_store_close(&store);
	snprintf(folder + strlen(folder), sizeof folder - strlen(folder), "/copy");
	snprintf(file, sizeof file, "%s/data.mdb", folder);
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	MUST(fd >= 0 && fstat(fd, &info) == 0, "%s", file);
	sound_size = (size_t)info.st_size;
	sound = malloc(sound_size);
	changed = malloc(sound_size);
	MUST(sound && changed && sound_size >= 8 * PAGE && read(fd, sound, sound_size) == (ssize_t)sound_size,
		"%s", file);
	close(fd);
	return 0;
}
