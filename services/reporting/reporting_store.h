/* reporting_store.h - reporting's records, and apply(), the only code that changes them.
 *
 * Record formats (integers big-endian; hex examples in reporting_store.c):
 *	facts       'c' case id 16 -> packed CaseFact; 'd' case id, deadline id -> packed DeadlineFact;
 *	            'm' case id, measure id -> packed MeasureFact
 *	figures     unit NUL span u8 period NUL measurement u8 kind u8 degree u8 rule NUL -> value i64
 *	units       unit code -> sequence u64 of the last event that changed its figures
 *	levels      unit code -> the codes in which its figures count, lowest first, each ended by NUL;
 *	            "*": the committee's; "?" unit: counted at the committee until it is known
 */
#ifndef REPORTING_STORE_H
#define REPORTING_STORE_H

#include "avvik/v1/envelope.pb-c.h"
#include "base/arena.h"
#include "org/org.h"
#include "store/store.h"

enum reporting_table { TABLE_FACTS = AV_TABLE_OWN, TABLE_FIGURES, TABLE_UNITS, TABLE_LEVELS };
extern const struct av_table_decl reporting_tables[4];

#define FIGURE_KEY_MAX 160
#define RESET_SEQUENCE UINT64_MAX /* as previous_sequence in the stream: fetch the snapshot */

int reporting_apply(struct av_txn *txn, const Avvik__V1__Event *event, struct av_arena *arena);

/* NULL (and AV_NOT_FOUND) when it is not known; lives in the arena. */
int case_fact_load(
	struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena, Avvik__V1__CaseFact **ret_fact);
int deadline_fact_load(struct av_txn *txn, struct av_bytes case_id, struct av_bytes deadline_id,
	struct av_arena *arena, Avvik__V1__DeadlineFact **ret_fact);
int measure_fact_load(struct av_txn *txn, struct av_bytes case_id, struct av_bytes measure_id,
	struct av_arena *arena, Avvik__V1__MeasureFact **ret_fact);
/* All of a case, in the arena, at most 200 of each. */
size_t deadline_facts(struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena,
	Avvik__V1__DeadlineFact ***ret_facts);
size_t measure_facts(struct av_txn *txn, struct av_bytes case_id, struct av_arena *arena,
	Avvik__V1__MeasureFact ***ret_facts);

/* The unit and the levels above in which its figures count; one that is empty or unknown counts at the
 * committee, and before a directory was published nowhere (0). The codes die with the transaction, or at its
 * next put. */
size_t reporting_levels(struct av_txn *txn, const char *unit, const char *ret_codes[AV_ORG_DEPTH]);

size_t figure_key(const Avvik__V1__FigureKey *key, unsigned char ret_bytes[FIGURE_KEY_MAX]); /* 0: too long */
/* Fields point into `bytes`. AV_DAMAGED */
int figure_key_read(struct av_bytes bytes, Avvik__V1__FigureKey *ret_key);
int64_t figure_value(struct av_txn *txn, const Avvik__V1__FigureKey *key);
uint64_t unit_sequence(struct av_txn *txn, const char *unit);

#endif
