/* powercut_check.c - opens the stores of images after a power cut, one after another, and tells what they hold.
 *
 * A line on standard input asks for one image of one daemon, and is answered by one line:
 *
 *	<folder> <daemon> <instance> <master key file> [<sequence>:<chain hash>]...
 *	ok <head's sequence> [cursor:<feed>:<sequence>:<hash>]... [mail:<notice id>]...
 *	fault <what>
 *
 * The folder has `data` and `keys`, as the daemon's own. They are opened as the daemon opens them, for
 * writing. The whole chain is computed anew; each given sequence must have that hash; the key of every sealed
 * content must be in the key store; for each notice that the journal says was delivered its id is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "avvik/v1/envelope.pb-c.h"
#include "base/arena.h"
#include "base/bytes.h"
#include "base/ids.h"
#include "base/random.h"
#include "base/status.h"
#include "store/content.h"
#include "store/store.h"
#include "wire/message.h"

#define LINE_BYTES (1024 * 1024)
#define MAP_BYTES ((size_t)256 * 1024 * 1024)

static const char *const feeds[] = {"intake", "workflow"};

static int fault(const char *what, const char *why)
{
	printf("fault %s: %s\n", what, why);
	return 1;
}

static int check_expected(struct av_txn *txn, const char *word)
{
	unsigned char hash[AV_CHAIN_SIZE];
	char text[2 * AV_CHAIN_SIZE + 1], *colon;
	struct av_bytes event;
	uint64_t sequence = strtoull(word, &colon, 10);
	int status = av_journal_read(txn, sequence, &event, hash);
	if (sequence == 0)
		return AV_OK;
	if (status != AV_OK)
		return fault(word, "what was acknowledged is not there");
	av_hex(hash, sizeof hash, text);
	return strcmp(text, colon + 1) == 0 ? AV_OK
					    : fault(word, "what was acknowledged is another thing here");
}

static int check_content(struct av_txn *txn, struct av_keystore *keys)
{
	struct av_bytes all = av_bytes("", 0), body;
	struct av_arena *arena = av_arena_create(0);
	struct av_iter it = av_iter(txn, AV_TABLE_CONTENT, all, all);
	int status = AV_OK;
	while (status == AV_OK && av_iter_next(&it)) {
		struct av_id id;
		if (it.key.size != AV_ID_SIZE)
			continue;
		memcpy(id.bytes, it.key.data, AV_ID_SIZE);
		int got = av_content_get(txn, keys, &id, 0, arena, &body);
		if (got != AV_OK && got != AV_ERASED)
			status = fault("sealed content without its key", av_status_text(got));
	}
	av_iter_end(&it);
	av_arena_destroy(&arena);
	return status;
}

static void tell_cursors(struct av_txn *txn)
{
	char text[2 * AV_CHAIN_SIZE + 1];
	for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
		struct av_cursor cursor;
		if (av_cursor_load(txn, feeds[i], &cursor) != AV_OK)
			continue;
		av_hex(cursor.position.hash, AV_CHAIN_SIZE, text);
		printf(" cursor:%s:%llu:%s", feeds[i], (unsigned long long)cursor.position.sequence, text);
	}
}

static void tell_mails(struct av_txn *txn, uint64_t head)
{
	struct av_arena *arena = av_arena_create(0);
	for (uint64_t sequence = 1; sequence <= head; sequence++) {
		struct av_bytes packed;
		ProtobufCMessage *message;
		char text[AV_ID_TEXT];
		struct av_id id;
		if (av_journal_read(txn, sequence, &packed, NULL) != AV_OK ||
			av_message_load(&avvik__v1__event__descriptor, packed, arena, &message) != AV_OK)
			continue;
		const Avvik__V1__Event *event = (const Avvik__V1__Event *)message;
		if (event->body_case == AVVIK__V1__EVENT__BODY_NOTICE_DELIVERED &&
			event->notice_delivered->notice_id.len == AV_ID_SIZE) {
			memcpy(id.bytes, event->notice_delivered->notice_id.data, AV_ID_SIZE);
			av_id_text(&id, text);
			printf(" mail:%s", text);
		}
	}
	av_arena_destroy(&arena);
}

static int check_stores(struct av_store *store, struct av_keystore *keys, char *rest)
{
	struct av_txn *txn;
	struct av_position head;
	uint64_t at = 0;
	if (av_txn_begin_read(store, &txn) != AV_OK || av_journal_head(txn, &head) != AV_OK)
		return fault("journal", "cannot be read");
	int status = av_journal_check(txn, &at);
	if (status != AV_OK)
		fault("chain", av_status_text(status));
	for (char *word; status == AV_OK && (word = strsep(&rest, " "));)
		if (*word)
			status = check_expected(txn, word);
	if (status == AV_OK)
		status = check_content(txn, keys);
	if (status == AV_OK) {
		printf("ok %llu", (unsigned long long)head.sequence);
		tell_cursors(txn);
		tell_mails(txn, head.sequence);
		printf("\n");
	}
	av_txn_abort(&txn);
	return status;
}

static void check_image(char *line)
{
	char data[4096], key_folder[4096];
	unsigned char master[AV_KEY_SIZE];
	const char *folder = strsep(&line, " "), *daemon = strsep(&line, " "), *instance = strsep(&line, " "),
		   *key = strsep(&line, " "), *why = "";
	struct av_random random = av_random_system(), more = av_random_system();
	struct av_store *store = NULL;
	struct av_keystore *keys = NULL;
	if (!key || av_key_file_load(key, master, sizeof master) < 0) {
		fault("request", "cannot be read");
		return;
	}
	snprintf(data, sizeof data, "%s/data", folder);
	snprintf(key_folder, sizeof key_folder, "%s/keys", folder);
	const struct av_store_options options = {.path = data,
		.map_bytes = MAP_BYTES,
		.daemon = daemon,
		.instance = instance,
		.stepped_clock = true,
		.now_ms = 1};
	if (av_store_open(&options, &random, &store, &why) < 0)
		fault("store", why);
	else if (av_keystore_open(key_folder, master, &more, &keys, &why) < 0)
		fault("key store", why);
	else
		check_stores(store, keys, line);
	av_keystore_close(&keys);
	av_store_close(&store);
}

int main(void)
{
	char *line = malloc(LINE_BYTES);
	while (line && fgets(line, LINE_BYTES, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		check_image(line);
		fflush(stdout);
	}
	free(line);
	return 0;
}
