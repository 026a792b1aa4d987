/* SPDX-License-Identifier: MIT */
/*
 * `reeve sandboxer`: the environment variables of the kernel's sample (samples/landlock/sandboxer.c
 * in Linux 7.3), with its meaning: LL_FS_RO and LL_FS_RW must be set and may be empty; a port
 * variable that is not set restricts nothing, one that is empty allows no port; a path that cannot
 * be opened is skipped with a message; the variables do not reach the program. The difference: what
 * a variable asks for and this kernel cannot enforce is an error, not a silent downgrade.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <reeve/host.h>
#include <reeve/observe.h>
#include "sample.h"
#include "supervised.h"
#include "verbs.h"

#define ALL reeve_rights_of_abi(REEVE_FS, REEVE_ABI_MAX)

struct sandboxer {
	struct reeve_policy *policy;
	struct reeve_rights handled, quiet;
	bool supervised; /* a variable asks for what the kernel lacks and reeve supplies */
};

static int failed(const struct reeve_error *err)
{
	cli_print_error(err);
	return CLI_ERROR;
}

/* ------------------------------------------------------------ colon-separated lists */

/* Calls fn for each element of a variable; an empty variable has none. */
static int each_element(const char *variable,
	int (*fn)(void *data, const char *variable, const char *element), void *data)
{
	cli_autofree char *copy = strdup(getenv(variable));
	char *rest = copy, *element;
	int r = 0;

	if (!copy)
		return cli_fail(NULL, "out of memory");
	if (!*copy)
		return 0;
	while (r == 0 && (element = strsep(&rest, ":")))
		r = fn(data, variable, element);
	return r;
}

/* -------------------------------------------------------------------- paths */

struct path_variable {
	struct sandboxer *box;
	uint64_t allowed, quiet;
};

static bool can_open(const char *variable, const char *path)
{
	cli_autoescape char *shown = cli_escape(path);
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		fprintf(stderr, "reeve: warning: %s: %s: %s: skipped\n", variable,
			*shown ? shown : "\"\"", strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

static int add_path(void *data, const char *variable, const char *path)
{
	const struct path_variable *paths = data;
	cli_autofree char *quoted = cli_quote_dollars(path);
	struct reeve_rule rule = {.type = REEVE_RULE_PATH_BENEATH,
		.allowed = paths->allowed,
		.quiet = paths->quiet,
		.path = quoted,
		.origin = variable};
	struct reeve_error err = {0};

	if (!quoted)
		return cli_fail(NULL, "out of memory");
	if (!can_open(variable, path))
		return 0;
	return reeve_policy_add_rule(paths->box->policy, &rule, &err) < 0 ? failed(&err) : 0;
}

static int read_paths(struct sandboxer *box)
{
	const struct {
		const char *variable;
		uint64_t allowed;
	} variables[] = {{"LL_FS_RO", CLI_SAMPLE_READ}, {"LL_FS_RW", ALL}};
	int r = 0;

	for (size_t i = 0; i < CLI_COUNT(variables) && r == 0; i++) {
		struct path_variable paths = {
			box, variables[i].allowed & box->handled.of[REEVE_FS], 0};

		if (!getenv(variables[i].variable))
			return cli_fail("LL_FS_RO and LL_FS_RW must be set; both may be empty",
				"sandboxer: %s is not set", variables[i].variable);
		r = each_element(variables[i].variable, add_path, &paths);
	}
	return r;
}

/* -------------------------------------------------------------------- ports */

struct ports {
	struct sandboxer *box;
	uint64_t allowed, quiet;
};

static int add_port(void *data, const char *variable, const char *element)
{
	const struct ports *ports = data;
	struct reeve_rule rule = {.type = REEVE_RULE_NET_PORT,
		.allowed = ports->allowed,
		.quiet = ports->quiet,
		.origin = variable};
	cli_autoescape char *shown = cli_escape(element);
	struct reeve_error err = {0};

	if (!*element)
		return 0;
	if (!cli_sample_port(element, &rule.port_first))
		return cli_fail(NULL, "%s: %s: expected a port, 0 to 65535", variable, shown);
	rule.port_last = rule.port_first;
	return reeve_policy_add_rule(ports->box->policy, &rule, &err) < 0 ? failed(&err) : 0;
}

static int read_ports(struct sandboxer *box)
{
	const struct cli_sample_port *port;
	int r = 0;

	for (port = cli_sample_ports; port->variable && r == 0; port++) {
		struct ports ports = {box, port->right, 0};

		if (box->handled.of[REEVE_NET] & port->right)
			r = each_element(port->variable, add_port, &ports);
	}
	return r;
}

/* ------------------------------------------------------------------- scopes */

static int add_scope(void *data, const char *variable, const char *element)
{
	const uint64_t scope = cli_sample_scope(element);
	uint64_t *scoped = &((struct sandboxer *)data)->handled.of[REEVE_SCOPE];
	cli_autoescape char *shown = cli_escape(element);

	if (*scoped & scope)
		return cli_fail(NULL, "%s: \"%s\" is there twice", variable, shown);
	*scoped |= scope;
	if (scope)
		return 0;
	return cli_fail(NULL, "%s: unknown scope \"%s\": expected a, s or u, separated by colons",
		variable, shown);
}

/* -------------------------------------------------------------------- quiet */

static int add_quiet(void *data, const char *variable, const char *element)
{
	struct sandboxer *box = data;
	cli_autoescape char *shown = cli_escape(element);

	if (!*element || cli_sample_quiet(element, &box->quiet))
		return 0;
	return cli_fail(NULL, "%s: unknown access \"%s\"", variable, shown);
}

/* Only of what is handled there are denials. */
static int read_quiet_access(struct sandboxer *box)
{
	int r = each_element("LL_QUIET_ACCESS", add_quiet, box);

	for (int i = 0; i < REEVE_CLASS_COUNT; i++)
		box->quiet.of[i] &= box->handled.of[i];
	return r;
}

/* What LL_QUIET_ACCESS named must be possible: the kernel's part, and ours. */
static int check_quiet(const struct sandboxer *box)
{
	const struct reeve_feature *feature = reeve_feature_find("quiet");
	struct reeve_kernel kernel = {.size = sizeof(kernel)};
	char why[256] = "";

	if (box->quiet.of[REEVE_SCOPE])
		return cli_fail(
			"leave scopes out of LL_QUIET_ACCESS: name what else is to be quiet",
			"LL_QUIET_ACCESS: denials of scopes cannot be made quiet by this version");
	if (feature && reeve_kernel_probe(&kernel) == 0 &&
		reeve_feature_enforcer(feature, &kernel, why, sizeof(why)) == REEVE_BY_NOBODY)
		return cli_fail(NULL, "LL_QUIET_ACCESS: quiet %s", why);
	return 0;
}

/* LL_QUIET_ACCESS says what is quiet, LL_FS_QUIET and LL_NET_QUIET where. */
static int read_quiet(struct sandboxer *box)
{
	struct path_variable paths = {.box = box};
	struct ports ports = {.box = box};
	bool somewhere = getenv("LL_FS_QUIET") || getenv("LL_NET_QUIET");
	int r = 0;

	if (somewhere && !getenv("LL_QUIET_ACCESS"))
		return cli_fail("LL_QUIET_ACCESS=all",
			"sandboxer: LL_FS_QUIET and LL_NET_QUIET need LL_QUIET_ACCESS");
	if (getenv("LL_QUIET_ACCESS"))
		r = read_quiet_access(box);
	if (r == 0 && getenv("LL_QUIET_ACCESS"))
		r = check_quiet(box);
	paths.quiet = box->quiet.of[REEVE_FS];
	ports.quiet = box->quiet.of[REEVE_NET];
	if (r == 0 && getenv("LL_FS_QUIET") && paths.quiet)
		r = each_element("LL_FS_QUIET", add_path, &paths);
	if (r == 0 && getenv("LL_NET_QUIET") && ports.quiet)
		r = each_element("LL_NET_QUIET", add_port, &ports);
	return r;
}

/* ------------------------------------------------------------------ together */

static int read_handled(struct sandboxer *box)
{
	const struct cli_sample_port *port;
	int r = 0;

	box->handled.of[REEVE_FS] = ALL;
	for (port = cli_sample_ports; port->variable; port++)
		if (getenv(port->variable))
			box->handled.of[REEVE_NET] |= port->right;
	if (getenv("LL_SCOPED"))
		r = each_element("LL_SCOPED", add_scope, box);
	/* A scope knows no exceptions: not for the files of LL_FS_RW either. */
	if (box->handled.of[REEVE_SCOPE] & REEVE_SCOPE_PATHNAME_UNIX_SOCKET)
		box->handled.of[REEVE_FS] &= ~REEVE_FS_RESOLVE_UNIX;
	if (r == 0 && reeve_policy_handle(box->policy, &box->handled) < 0)
		r = cli_fail(NULL, "out of memory");
	return r;
}

/* Who enforces a right on this kernel. */
static enum reeve_enforcer enforcer_of(enum reeve_class cls, uint64_t bit, char *why, size_t size)
{
	const struct reeve_right_info *info = reeve_right_of_bit(cls, bit);
	const struct reeve_feature *feature = info ? reeve_feature_find(info->full_name) : NULL;
	struct reeve_kernel kernel = {.size = sizeof(kernel)};

	if (!feature || reeve_kernel_probe(&kernel) < 0)
		return REEVE_BY_NOBODY;
	return reeve_feature_enforcer(feature, &kernel, why, size);
}

/*
 * No variable of the sample speaks of connecting to UNIX sockets by path; the sample restricts it
 * where the kernel can (ABI 9). Elsewhere it stays possible, and that is said.
 */
static int allow_old_unix(struct sandboxer *box)
{
	struct reeve_error err = {0};
	char why[256] = "";

	if (!(box->handled.of[REEVE_FS] & REEVE_FS_RESOLVE_UNIX) ||
		enforcer_of(REEVE_FS, REEVE_FS_RESOLVE_UNIX, why, sizeof(why)) == REEVE_BY_LANDLOCK)
		return 0;
	fprintf(stderr,
		"reeve: warning: connecting to UNIX sockets by path is not restricted: "
		"fs.resolve_unix %s\n",
		*why ? why : "is not in this kernel's Landlock; LL_SCOPED=u restricts it");
	return reeve_policy_degrade(box->policy, "fs.resolve_unix", &err) < 0 ? failed(&err) : 0;
}

/* Of what the variables ask for, some may be for reeve's supervisor to enforce. */
static bool needs_supervisor(const struct sandboxer *box)
{
	static const enum reeve_class classes[] = {REEVE_NET, REEVE_SCOPE};
	char why[256];

	for (size_t i = 0; i < CLI_COUNT(classes); i++)
		for (uint64_t left = box->handled.of[classes[i]]; left; left &= left - 1)
			if (enforcer_of(classes[i], left & -left, why, sizeof(why)) ==
				REEVE_BY_SUPERVISOR)
				return true;
	return false;
}

static int read_environment(struct sandboxer *box, unsigned int *ret_flags)
{
	const char *force_log = getenv("LL_FORCE_LOG");
	int r;

	if (force_log && strcmp(force_log, "1") != 0)
		return cli_fail(NULL, "LL_FORCE_LOG: expected 1");
	if (force_log)
		*ret_flags |= REEVE_RESTRICT_LOG_NEW_EXEC_ON;
	r = read_handled(box);
	if (r == 0)
		r = read_paths(box);
	if (r == 0)
		r = read_ports(box);
	if (r == 0)
		r = read_quiet(box);
	box->supervised = r == 0 && needs_supervisor(box);
	return r ? r : allow_old_unix(box);
}

static void clean_environment(void)
{
	for (const char *const *name = cli_sample_variables; *name; name++)
		unsetenv(*name);
}

/* ------------------------------------------------------------------ the domain's id */

/* As the sample with the proposed PIDFD_INFO_LANDLOCK_FIRST_DOMAIN. */
static void tell_entered(void *data, uint64_t domain)
{
	(void)data;
	fprintf(stderr, "Entered the Landlock domain %" PRIx64 ".\n", domain);
}

/* `pidfd` is of the process that becomes CMD; `restricted` ends when it does. */
static void wait_and_tell(int pidfd, int restricted)
{
	struct reeve_task_domain domain = {
		.size = sizeof(domain), .wanted = REEVE_DOMAIN_KERNEL_FIRST};
	char none;

	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	while (read(restricted, &none, 1) < 0 && errno == EINTR)
		;
	if (reeve_pidfd_domain(pidfd, &domain) == 0 && domain.given & REEVE_DOMAIN_KERNEL_FIRST)
		tell_entered(NULL, domain.kernel_first);
	_exit(0);
}

/*
 * No process of reeve stays with a static sandbox, and none in it can read its id. So one that is
 * outside, and nobody's child, reads it once CMD was executed, where that takes no privileges.
 */
static void tell_entered_static(void)
{
	int ends[2], pidfd, status;
	pid_t pid;

	if (access(REEVE_HOST_PIN, R_OK) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return;
	pidfd = pidfd_open(getpid(), 0);
	pid = pidfd < 0 ? -1 : fork();
	if (pid == 0) {
		close(ends[1]);
		if (fork() == 0)
			wait_and_tell(pidfd, ends[0]);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(ends[0]); /* the other end is closed by the exec */
	if (pidfd >= 0)
		close(pidfd);
}

static int become(
	const struct reeve_policy *policy, unsigned int restrict_flags, char *const *command)
{
	struct reeve_exec_options exec = {
		.size = sizeof(exec), .restrict_flags = restrict_flags, .keep_all_fds = true};
	cli_autoplan *plan = NULL;
	struct reeve_error err = {0};

	if (reeve_plan_new(policy, NULL, &plan, &err) < 0)
		return failed(&err);
	clean_environment();
	tell_entered_static();
	reeve_plan_exec(plan, command, &exec, &err);
	cli_print_error(&err);
	fflush(NULL);
	_exit(reeve_exec_exit_code(&err));
}

/* As the sample it says nothing of what is denied. */
static int supervise(
	const struct reeve_policy *policy, unsigned int restrict_flags, char *const *command)
{
	const struct reeve_supervised_plan_options wanted = {
		.size = sizeof(wanted), .no_events = true, .scope_error = EPERM};
	const struct reeve_exec_options exec = {
		.size = sizeof(exec), .restrict_flags = restrict_flags, .keep_all_fds = true};
	struct cli_supervised run = {.exec = &exec,
		.command = command,
		.events = "none",
		.write_policy = {.fd = -1},
		.identified = tell_entered,
		.quiet = true};
	struct reeve_error err = {0};

	if (reeve_plan_new_supervised(policy, NULL, &wanted, &run.plan, &err) < 0)
		return failed(&err);
	run.ruleset = reeve_ruleset_ref((struct reeve_ruleset *)reeve_policy_ruleset(policy));
	clean_environment();
	return cli_run_supervised(&run);
}

static int run_sandboxer(void *data, const struct cli_operands *operands)
{
	struct sandboxer box = {0};
	cli_autopolicy *policy = NULL;
	struct reeve_log log = {cli_log, NULL};
	struct reeve_error err = {0};
	unsigned int flags = 0;
	int r;

	(void)data;
	if (operands->count == 0)
		return cli_fail("LL_FS_RO=/usr LL_FS_RW=/tmp reeve sandboxer CMD",
			"sandboxer: say what to run");
	if (reeve_policy_new(&policy) < 0)
		return cli_fail(NULL, "out of memory");
	reeve_policy_set_log(policy, &log);
	box.policy = policy;
	r = read_environment(&box, &flags);
	if (r)
		return r;
	if (reeve_policy_resolve(policy, NULL, &err) < 0)
		return failed(&err);
	return box.supervised ? supervise(policy, flags, operands->items)
			      : become(policy, flags, operands->items);
}

static const struct cli_option options[] = {{0}};

static const char text[] =
	"Variables (lists are separated by colons):\n"
	"  LL_FS_RO             paths to read and execute; must be set, may be empty\n"
	"  LL_FS_RW             paths to read, execute and write; the same\n"
	"  LL_TCP_BIND          ports to bind; not set: all, empty: none; the same for\n"
	"  LL_TCP_CONNECT       ports to connect to\n"
	"  LL_UDP_BIND          UDP ports to bind\n"
	"  LL_UDP_CONNECT_SEND  UDP ports to connect or send to\n"
	"  LL_SCOPED            a: abstract UNIX sockets, s: signals, u: pathname UNIX\n"
	"                       sockets stay within the sandbox\n"
	"  LL_QUIET_ACCESS      denials not to log: all, read, write, tcp_bind,\n"
	"                       tcp_connect, udp_bind, udp_connect,\n"
	"                       abstract_unix_socket, signal; on the\n"
	"  LL_FS_QUIET          paths and\n"
	"  LL_NET_QUIET         ports named here\n"
	"  LL_FORCE_LOG         1: log denials of the program to the audit log\n"
	"\n"
	"They are removed from CMD's environment. Unlike the kernel's sample, which drops\n"
	"what an older kernel lacks, this fails (125) and names it, or stays as the\n"
	"supervisor of CMD where reeve can supply it: LL_SCOPED=u before Landlock ABI 9,\n"
	"where a socket that is out of scope gives EPERM.\n"
	"\n"
	"The id of the domain is told on standard error: reeve's, where there is a\n"
	"supervisor, else the kernel's, where `reeve observe pin` lets it be read.\n"
	"\n"
	"Example:\n"
	"  LL_FS_RO=/usr:/etc:/lib:/lib64 LL_FS_RW=/tmp LL_TCP_BIND= \\\n"
	"    reeve sandboxer ls /tmp\n";

const struct cli_verb cli_verb_sandboxer = {
	.name = "sandboxer",
	.synopsis = "[--] CMD [ARG]...",
	.summary = "Run a program as the kernel's sample sandboxer does",
	.text = text,
	.options = options,
	.first_operand_ends = true,
	.complete = CLI_COMMANDS,
	.run = run_sandboxer,
};
