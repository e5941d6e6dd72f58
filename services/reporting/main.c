/* main.c - avvik-reporting. README.md is its manual; reporting_service.c holds its tables. */
#include "handlers.h"

int main(int argc, char **argv)
{
	return av_daemon_main(&reporting_service, argc, argv);
}
