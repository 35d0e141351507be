/* lyceumd: one daemon. A hub, a node, or both at once; its configuration says which. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/sibling.h"
#include "config.h"
#include "log.h"
#include "world/world.h"

static const char usage[] =
	"Usage: lyceumd [--config] FILE\n"
	"Runs the daemon that FILE, a YAML file, configures.\n"
	"\n"
	"  --config FILE  the configuration; else $LYCEUM_CONFIG, else /etc/lyceum/lyceum.yaml\n"
	"  --check FILE   only read and check it, and its plugins' own: file and line of the first "
	"fault\n"
	"  --restore DIR  make the data folder from a backup, and end; refused where there is a\n"
	"                 log\n"
	"  --alone        a restored node does not wait for its hub to give back what it has\n"
	"  --check-backup DIR\n"
	"                 only read a whole backup and check it\n"
	"  --manual       every setting with what it means\n"
	"  --version      the version\n"
	"  --help         this\n";

/* A socket per peer and per file: as many descriptors as the machine allows. */
static void raise_limits(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int complain(const struct lyc_error *error)
{
	fprintf(stderr, "lyceumd: %s\n", error->text);
	return EXIT_FAILURE;
}

static enum lyc_status read_again(const struct world_options *options,
				  Lyceum__V1__Config **ret_config, struct lyc_error *error)
{
	return config_read(options->config_path, world_check_all, options, ret_config, error);
}

static int run(const char *path, bool is_alone)
{
	struct lyc_error error = {0};
	Lyceum__V1__Config *config = NULL;
	char runner[PATH_MAX + 64];
	if (config_read(path, world_check, NULL, &config, &error) != LYC_OK)
		return complain(&error);
	world_configure_log(config);
	raise_limits();
	sibling_find("lyceum-plugin", runner, sizeof(runner));
	struct world_options options = {
		.config = config,
		.config_path = path,
		.read_again = read_again,
		.runner = runner,
		.plugin_folder = LYCEUM_PLUGIN_FOLDER,
		.is_alone = is_alone,
	};
	enum lyc_status status = world_run(&options, &error);
	config_free(config);
	return status == LYC_OK ? EXIT_SUCCESS : complain(&error);
}

static int check(const char *path)
{
	struct lyc_error error = {0};
	Lyceum__V1__Config *config = NULL;
	char runner[PATH_MAX + 64];
	sibling_find("lyceum-plugin", runner, sizeof(runner));
	const struct world_options options = {.runner = runner,
					      .plugin_folder = LYCEUM_PLUGIN_FOLDER};
	if (config_read(path, world_check_all, &options, &config, &error) != LYC_OK)
		return complain(&error);
	printf("%s: the configuration of '%s' is in order\n", path, config->name);
	config_free(config);
	return EXIT_SUCCESS;
}

static int restore(const char *path, const char *folder, bool is_alone)
{
	struct lyc_error error = {0};
	char text[800];
	Lyceum__V1__Config *config = NULL;
	enum lyc_status status = config_read(path, world_check, NULL, &config, &error);
	if (status == LYC_OK)
		status = world_restore(config, folder, is_alone, text, sizeof(text), &error);
	if (status == LYC_OK)
		puts(text);
	if (config)
		config_free(config);
	return status == LYC_OK ? EXIT_SUCCESS : complain(&error);
}

static int check_backup(const char *folder)
{
	struct lyc_error error = {0};
	char text[800];
	if (world_check_backup(folder, text, sizeof(text), &error) != LYC_OK)
		return complain(&error);
	puts(text);
	return EXIT_SUCCESS;
}

static int manual(void)
{
	char *text = NULL;
	if (config_manual(&text) != LYC_OK)
		return EXIT_FAILURE;
	fputs(text, stdout);
	free(text);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", required_argument, NULL, 'k'},
		{"manual", no_argument, NULL, 'm'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"restore", required_argument, NULL, 'r'},
		{"alone", no_argument, NULL, 'a'},
		{"check-backup", required_argument, NULL, 'b'},
		{NULL, 0, NULL, 0},
	};
	const char *path = getenv("LYCEUM_CONFIG");
	if (!path || !path[0])
		path = "/etc/lyceum/lyceum.yaml";
	const char *backup = NULL;
	bool is_alone = false;
	int option;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			path = optarg;
			break;
		case 'k':
			return check(optarg);
		case 'r':
			backup = optarg;
			break;
		case 'a':
			is_alone = true;
			break;
		case 'b':
			return check_backup(optarg);
		case 'm':
			return manual();
		case 'v':
			puts("lyceumd " LYCEUM_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			fputs(usage, stdout);
			return EXIT_SUCCESS;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc)
		path = argv[optind];
	return backup ? restore(path, backup, is_alone) : run(path, is_alone);
}
