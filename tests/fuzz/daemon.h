/* daemon.h - one daemon under the fuzzer: what its handlers, apply() and feeds do with whatever comes.
 *
 * The world (a file of seeds.h) is played once; every input starts from a copy of the store as it was then,
 * so that what is found is repeated by the input alone. What must hold is checked at every step:
 *
 * - every command gets one reply that can be read; none is FAILED: nothing that a peer sends is an internal
 * error;
 * - a command that is not DONE leaves the journal as it was; one that is DONE, sent again, gets the same
 * status, `repeated`, and changes nothing;
 * - a feed's batch given again changes nothing;
 * - due work comes to an end;
 * - the journal replays to the same records, chain and seals verify (for one input in eight).
 *
 * When the stored records themselves were changed (STEP_APPLY, STEP_RECORD) only this must hold: no crash, no
 * undefined behaviour, no endless loop.
 */
#ifndef AVVIK_TESTS_FUZZ_DAEMON_H
#define AVVIK_TESTS_FUZZ_DAEMON_H

#include "harness.h"
#include "seeds.h"

struct fuzz_daemon {
	const struct av_service *service;
	const char *world; /* "tests/fuzz/worlds/intake.yaml" */
	const char *look;  /* the queries that read what stands; NULL: none */
	/* What is under way outside ends so; NULL: nothing ever is. */
	void (*ended)(struct harness *h, unsigned int outcome, int64_t now_ms);
	void (*started)(struct harness *h);
};
extern const struct fuzz_daemon fuzz_daemon; /* the program's */

#endif
