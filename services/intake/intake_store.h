/* intake_store.h - intake's records: which content belongs to which report, and which directory and rule
 * packs there are.
 *
 * The tables are projections: apply() makes them from the journal alone. Formats with examples stand in
 * intake_store.c.
 */
#ifndef INTAKE_STORE_H
#define INTAKE_STORE_H

#include "avvik/v1/envelope.pb-c.h"
#include "base/date.h"
#include "daemon/service.h"
#include "store/store.h"

enum intake_table { /* clang-format off */
	INTAKE_DIRECTORIES = AV_TABLE_OWN,
	INTAKE_RULES,
	INTAKE_CURRENT,
	INTAKE_TABLES_END
}; /* clang-format on */
#define INTAKE_TABLE_COUNT (INTAKE_TABLES_END - AV_TABLE_OWN)
extern const struct av_table_decl intake_tables[INTAKE_TABLE_COUNT];

/* What was sent of one report: the report, or a supplement to it. */
struct filing {
	uint64_t sequence; /* of its event */
	bool supplement;
	struct av_id content_id;
	uint64_t key_number;
	const char *principal; /* who sent it; in the arena */
};
/* The report itself. AV_NOT_FOUND, AV_DAMAGED, AV_MEMORY. */
int filing_first(
	struct av_txn *txn, const struct av_id *report_id, struct av_arena *arena, struct filing *ret_filing);
/* The report, then its supplements as they came, at most `max`; AV_NOT_FOUND when there is no such report. */
int filing_list(struct av_txn *txn, const struct av_id *report_id, size_t max, struct av_arena *arena,
	struct filing **ret_filings, size_t *ret_count);

/* A directory or rule pack that was published. */
struct published {
	uint64_t sequence; /* of its event */
	unsigned char hash[32];
	av_day from, until; /* of a rule pack */
};
int directory_find(struct av_txn *txn, const char *version, struct published *ret_found); /* AV_NOT_FOUND */
int rules_find(struct av_txn *txn, const char *version, struct published *ret_found);
/* All rule packs as they were published. */
int rules_list(struct av_txn *txn, struct av_arena *arena, struct published **ret_packs, size_t *ret_count);

/* Where the directory in force and the last rule pack stand. The event ids tell whether a copy in memory is
 * still of them. */
struct current {
	uint64_t directory_sequence, rules_sequence; /* 0: none */
	struct av_id directory_event, rules_event;
};
void current_load(struct av_txn *txn, struct current *ret_current);
/* The event at a sequence of the own journal. */
int event_load(struct av_txn *txn, uint64_t sequence, struct av_arena *arena, Avvik__V1__Event **ret_event);

int intake_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena);

#endif
