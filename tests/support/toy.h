/* toy.h - a tiny daemon for tests of the skeleton: files reports, counts them by unit, fires what is due,
 * follows one feed.
 *
 * What a report's unit is called says how it fares:
 *
 *	"refused"   the handler refuses
 *	"poison"    its event cannot be applied
 *	"crash"     the handler ends the process
 *	"badfeed"   the feed handler refuses while toy_feed_refuses
 *	"badapply"  its event cannot be applied while toy_apply_fails
 *	"hungry"    the handler uses up the turn's memory
 *	"greedy"    (in the feed) it takes a good part of it
 *
 * Anything else is fine.
 */
#ifndef AVVIK_TESTS_TOY_H
#define AVVIK_TESTS_TOY_H

#include "daemon/service.h"

#define TOY_FEED "intake"
enum { TOY_UNITS = AV_TABLE_OWN, TOY_PLACED, TOY_DUE };

extern const struct av_service toy_service;
extern bool toy_feed_refuses, toy_apply_fails, toy_directory_refuses;
extern bool toy_starves;	 /* the machine has no memory for a "starved" one */
extern unsigned int toy_crashes; /* "crash" and inner items of kind 2 end the process while this is not
				  0; due work while it is 2 */

/* How many reports of a unit, and how many placings of a case, the projections count. */
uint64_t toy_filed(struct av_txn *txn, const char *unit);
uint64_t toy_placed(struct av_txn *txn, const struct av_id *case_id);

#endif
