/* notification.c - notification under the fuzzer; the mails that are under way end as the step says */
#include <string.h>

#include "attempts_store.h"
#include "daemon.h"
#include "notification_service.h"
#include "outcome.h"

static void started(struct harness *h)
{
	struct av_txn *txn = harness_read(h);
	unsigned char run[8];
	av_put_u64(run, av_counter(txn, RUN_COUNTER));
	av_txn_abort(&txn);
	(void)harness_inner(h, INNER_STARTED, av_bytes(run, sizeof run));
}

static void ended(struct harness *h, unsigned int outcome, int64_t now_ms)
{
	struct underway mails[UNDERWAY_MAX];
	struct av_txn *txn = harness_read(h);
	size_t count = underway_all(txn, mails);
	AV_UNUSED(now_ms);
	av_txn_abort(&txn);
	for (size_t i = 0; i < count; i++) {
		struct delivery_ended end;
		memset(&end, 0, sizeof end);
		memcpy(end.leader, mails[i].leader.bytes, AV_ID_SIZE);
		end.attempt = mails[i].attempt;
		end.outcome = (int)(outcome % OUTCOME_COUNT);
		end.perhaps_sent = outcome & 0x80;
		(void)harness_inner(h, INNER_ENDED, av_bytes(&end, sizeof end));
	}
}

const struct fuzz_daemon fuzz_daemon = {
	.service = &notification_service,
	.world = "tests/fuzz/worlds/notification.yaml",
	.look = "tests/fuzz/worlds/notification-look.yaml",
	.started = started,
	.ended = ended,
};
