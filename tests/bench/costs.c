/* costs.c - where the microseconds of one report go: each step of intake's work alone, in process, on one
 * thread.
 *
 * Prints "name microseconds" a line, best of several rounds. The report is the 1 KiB one of load.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "avvik/v1/command.pb-c.h"
#include "base/clock.h"
#include "seal/receipt.h"
#include "store/content.h"
#include "wire/rules.h"

#define ROUNDS 20
#define EACH 5000

static struct av_arena *arena;
static struct av_bytes wire, packed_report;
static Avvik__V1__Command *command;
static struct av_random random_source;
static unsigned char key[AV_KEY_SIZE], hash[AV_HASH_SIZE];
static unsigned char sealed[2048];

static void report_make(void)
{
	static char text[900];
	static Avvik__V1__Law laws[] = {AVVIK__V1__LAW__LAW_SOL};
	static Avvik__V1__Command made = AVVIK__V1__COMMAND__INIT;
	static Avvik__V1__FileReport report = AVVIK__V1__FILE_REPORT__INIT;
	static Avvik__V1__ReportNarrative narrative = AVVIK__V1__REPORT_NARRATIVE__INIT;
	static Avvik__V1__Reporter reporter = AVVIK__V1__REPORTER__INIT;

	memset(text, 'a', sizeof text - 90);
	made.reference = (char *)"costs-00000001";
	made.body_case = AVVIK__V1__COMMAND__BODY_FILE_REPORT;
	made.file_report = &report;
	report.type = AVVIK__V1__REPORT_TYPE__REPORT_TYPE_LEX_SARAH;
	report.unit = (char *)"lindhaga";
	report.concerns = AVVIK__V1__CONCERNS__CONCERNS_ONE_PERSON;
	report.occurred_from_at_ms = report.noticed_at_ms = 1775000000000;
	report.channel = AVVIK__V1__CHANNEL__CHANNEL_SYSTEM;
	report.laws = laws;
	report.n_laws = 1;
	report.category = (char *)"UTF";
	report.narrative = &narrative;
	report.reporter = &reporter;
	narrative.description = text;
	reporter.name = (char *)"Provrapportör Ett";
	reporter.mail = (char *)"prov@lindaker.example";
	wire = av_message_pack(&made.base, arena);
	packed_report = av_message_pack(&report.base, arena);
}

static void do_scan_unpack(void)
{
	struct av_arena *own = av_arena_create(0);
	for (int i = 0; i < EACH; i++) {
		struct av_faults faults;
		ProtobufCMessage *message;
		av_arena_reset(own);
		av_faults_init(&faults, own);
		if (av_message_unpack(&avvik__v1__command__descriptor, wire, AV_WIRE_LIMITS_COMMAND, own,
			    &faults, &message) != AV_OK)
			abort();
	}
	av_arena_destroy(&own);
}

static void do_rules(void)
{
	struct av_faults faults;
	av_faults_init(&faults, arena);
	for (int i = 0; i < EACH; i++)
		if (av_rules_check(&command->base, &faults) != AV_OK)
			abort();
}

static void do_pack(void)
{
	struct av_arena *own = av_arena_create(0);
	for (int i = 0; i < EACH; i++) {
		av_arena_reset(own);
		if (!av_message_pack(&command->file_report->base, own).data)
			abort();
	}
	av_arena_destroy(&own);
}

static void do_hash(void)
{
	for (int i = 0; i < EACH; i++)
		av_hash(packed_report, hash);
}

static void do_commitment(void)
{
	for (int i = 0; i < EACH; i++)
		av_commitment_of_hash(key, hash, hash);
}

static void do_seal(void)
{
	for (int i = 0; i < EACH; i++)
		av_seal(key, av_bytes(hash, 16), packed_report, &random_source, sealed);
}

static struct av_store *store;

/* What one report writes: journal, content, reference, the entry by case; a commit for each thousand. */
static void do_puts(void)
{
	static uint64_t number;
	unsigned char id[AV_ID_SIZE];
	struct av_txn *txn = NULL;
	for (int i = 0; i < EACH; i++) {
		uint64_t sequence;
		if (i % 1000 == 0 && av_txn_begin_write(store, &txn) != AV_OK)
			abort();
		number++;
		memset(id, 0, sizeof id);
		av_put_u64(id, number);
		av_journal_append(txn, av_bytes(sealed, 330), &sequence);
		av_put(txn, AV_TABLE_CONTENT, av_bytes(id, sizeof id), av_bytes(sealed, 1100));
		av_put(txn, AV_TABLE_REFERENCES, av_bytes(id, sizeof id), av_bytes(sealed, 90));
		av_put(txn, AV_TABLE_BY_CASE, av_bytes(id, sizeof id), av_bytes(sealed, 40));
		if (i % 1000 == 999 && av_txn_commit(&txn) != AV_OK)
			abort();
	}
}

static void measure(const char *name, void (*work)(void))
{
	double best = 1e9;
	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = av_clock_monotonic_us();
		work();
		double took = (double)(av_clock_monotonic_us() - start) / EACH;
		best = took < best ? took : best;
	}
	printf("%s %.2f\n", name, best);
}

int main(void)
{
	static const struct av_table_decl own[] = {{"own", AV_PROJECTION}};
	char folder[] = "/tmp/avvik-costs-XXXXXX", line[64];
	const char *why;

	arena = av_arena_create(0);
	random_source = av_random_system();
	if (!arena || av_crypto_start() != AV_OK || !mkdtemp(folder))
		return 1;
	struct av_store_options options = {.path = folder,
		.map_bytes = (size_t)4 << 30,
		.tables = own,
		.table_count = 1,
		.daemon = "costs",
		.instance = "bench",
		.now_ms = 1775000000000};
	if (av_store_open(&options, &random_source, &store, &why) != AV_OK) {
		fprintf(stderr, "costs: %s\n", why);
		return 1;
	}
	report_make();
	struct av_faults faults;
	ProtobufCMessage *message;
	av_faults_init(&faults, arena);
	if (av_message_unpack(&avvik__v1__command__descriptor, wire, AV_WIRE_LIMITS_COMMAND, arena, &faults,
		    &message) != AV_OK)
		return 1;
	command = (Avvik__V1__Command *)message;

	measure("scan and unpack", do_scan_unpack);
	measure("checks by the table of rules", do_rules);
	measure("canonical packing", do_pack);
	measure("hash of 1 KiB, for mark, repetition and commitment", do_hash);
	measure("commitment over that hash", do_commitment);
	measure("seal of 1 KiB", do_seal);
	measure("four puts, chain hash, a commit a thousand", do_puts);
	av_store_close(&store);
	snprintf(line, sizeof line, "rm -rf %s", folder);
	return system(line) == 0 ? 0 : 1;
}
