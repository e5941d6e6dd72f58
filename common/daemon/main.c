/* main.c - the options of every daemon */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "daemon/daemon_inner.h"

static void usage(const struct av_service *service, FILE *stream)
{
	fprintf(stream,
		"avvik-%s - %s\n\n"
		"usage: avvik-%s --settings FILE [what]\n\n"
		"  --settings FILE   the instance's avvik.yaml\n"
		"  --describe        print the tables of messages, and end\n"
		"  --verify          replay the journal of a copy and compare, and end; may be used while "
		"the daemon runs\n"
		"  --backup FOLDER   copy the data, and the content keys apart, and end; may be used while "
		"it runs\n"
		"  --restore FOLDER  put a backup in place of what is there, and end; not while it runs\n"
		"  --version, --help\n\n"
		"exit codes: 0 done; 1 verify found faults; 64 usage; 70 internal; 75 try again; 78 "
		"settings, keys or store\n",
		service->name, service->purpose, service->name);
}

/* Damage inside the store's pages shows in LMDB as a wild address. The start looks at the file's own pages
 * only, since a walk of all would take longer the more there is. So the process says what it most likely is,
 * and ends as the signal says. */
static void on_wild_address(int number)
{
	static const char line[] = "level=error msg=\"ended by a wild address: the store may be damaged "
				   "inside\" remedy=\"avvik verify "
				   "tells; then avvik restore from a backup\"\n";
	ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
	AV_UNUSED(written);
	raise(number); /* the default action is in force again */
}

static void wild_addresses_told(void)
{
	struct sigaction action = {.sa_handler = on_wild_address, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
	sigemptyset(&action.sa_mask);
	(void)sigaction(SIGSEGV, &action, NULL);
	(void)sigaction(SIGBUS, &action, NULL);
}

int av_daemon_main(const struct av_service *service, int argc, char **argv)
{
	enum { SETTINGS = 1, DESCRIBE, VERIFY, BACKUP, RESTORE, VERSION, HELP };
	static const struct option options[] = {
		{"settings", required_argument, NULL, SETTINGS},
		{"describe", no_argument, NULL, DESCRIBE},
		{"verify", no_argument, NULL, VERIFY},
		{"backup", required_argument, NULL, BACKUP},
		{"restore", required_argument, NULL, RESTORE},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	/* What is sealed in the store stands open in memory: it goes into no core dump. */
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* lowering is always allowed, ignoring */
	const char *settings = NULL, *folder = NULL;
	int what = 0, option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == SETTINGS) {
			settings = optarg;
			continue;
		}
		if (option == '?' || what) {
			usage(service, stderr);
			return EXIT_USAGE;
		}
		what = option;
		folder = optarg;
	}
	if (what == HELP) {
		usage(service, stdout);
		return 0;
	}
	if (what == VERSION) {
		printf("avvik-%s %s\n", service->name, AVVIK_VERSION);
		return 0;
	}
	if (what == DESCRIBE) {
		describe(service, stdout);
		return 0;
	}
	if (!settings || optind < argc) {
		usage(service, stderr);
		return EXIT_USAGE;
	}
	wild_addresses_told();
	switch (what) { /* clang-format off */
	case VERIFY:  return verify_run(service, settings);
	case BACKUP:  return backup_run(service, settings, folder);
	case RESTORE: return restore_run(service, settings, folder);
	default:      return daemon_run(service, settings);
	} /* clang-format on */
}
