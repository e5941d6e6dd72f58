/* seeds.h - rows of steps written as YAML, so that they can be read: the worlds in which the daemons are
 * fuzzed, and the seeds. One list; each item is a step:
 *
 *	- command: { reference: r1, on_behalf_of: sara, act_on_case: {...} }   a Command
 *	  as: 0               which of the target's principals, in the order of its list
 *	  files: { rules: { file: deploy/... } }    fields of its body that are files, each as below
 *	- feed: intake        a batch of this feed with these events (each an Event)
 *	  events: [{ case: UUID, report_filed: {...} }]
 *	  parts: [{ part: contact, contact: { name: ..., mail: ... } }]        opened parts of every item
 *	- publish: directory  a command that publishes a file (path from the root of the tree)
 *	  file: deploy/...
 *	  with: { version: x } fields that go before the file's; of lists, behind them
 *	- feed: intake        the same as an event
 *	  publish: rules
 *	  file: deploy/...
 *	- due: 60             so many minutes go by, then what is due
 *	- restart: true       - upkeep: true        - ended: 0 (the outcome of what is under way)
 *	- refused: 2          the producer `feed` was restored, so many events back, and refuses the cursor
 *	  feed: intake
 *	- apply: { report_filed: {...} }            an event that stands in the journal, whatever it is
 *	- look: true          a read of everything that stands
 *
 * `follow: false` and `joined: true` set the flags of steps.h; a step follows unless it says otherwise.
 */
#ifndef AVVIK_TESTS_FUZZ_SEEDS_H
#define AVVIK_TESTS_FUZZ_SEEDS_H

#include "steps.h"

enum daemon_step {
	STEP_COMMAND,
	STEP_FEED, /* who: which feed */
	STEP_DUE,  /* minutes, little-endian */
	STEP_RESTART,
	STEP_UPKEEP,
	STEP_ENDED,   /* an outcome */
	STEP_REFUSED, /* a producer was restored so many events back, and refuses where this daemon stands */
	STEP_LOOK,
	STEP_APPLY,  /* an Event, as if it had been journalled */
	STEP_RECORD, /* table, number u16, change, offset u16, bytes: one record changed */
	STEP_COUNT
};

/* The third byte of a STEP_RECORD. */
enum record_change {
	RECORD_OVERWRITE,
	RECORD_TRUNCATE,
	RECORD_EXTEND,
	RECORD_DELETE,
	RECORD_REPLACE,
	RECORD_CHANGES
};

/* Ends the process with a line when the file cannot be read. Everything lives in the arena. */
size_t seeds_load(const char *path, struct av_arena *arena, struct step *ret_steps, size_t max);

#endif
