/**
 * Configurations that the original promises its users; each must be read without a change. Its remarks are left out,
 * which no parser sees.
 *
 * @module
 */

/** Project files, by what they show. */
export const ORIGINAL_PROJECTS: Readonly<Record<string, string>> = {
  opening: `
name = "example"

[tasks.api]
command = "uv run api --port $PORT"
cwd = "api"
host = "api"
env = { LOG_LEVEL = "debug" }

[tasks.website]
command = "npm run dev -- --port $PORT"
cwd = "web"
host = "@"
depends_on = ["api"]
restart_policy = "always"

[tasks.worker]
command = "uv run worker"
depends_on = ["api"]
restart_policy = "on-failure"
max_restarts = 10

[tasks.db]
command = "docker compose up postgres"
auto_start = false
health_check = "pg_isready -h localhost -p 5432"
stop_grace_period = 15
`,
  injection: `auto_inject_agents = false\n`,
  hosts: `
name = "myproject"

[tasks.api]
command = "next dev -p $PORT"
host = "api"

[tasks.web]
command = "bun dev --port $PORT"
host = "web"
`,
  tunnel: `
[tunnel.cloudflare]
zone_id = "ghij..."

[tasks.api]
command = "bun run dev"
host = "api"
tunnel = "cloudflare"
public_hostname = "api.example.com"
`,
  minimal: `
name = "myproject"

[tasks.server]
command = "npm run dev"

[tasks.build]
command = "npm run build:watch"

[tasks.db]
command = "docker compose up postgres"
auto_start = false
`,
  fullStack: `
name = "fullstack-app"

[tasks.db]
command = "docker compose up postgres redis"
health_check = "pg_isready -h localhost -p 5432"
health_interval = 3

[tasks.migrate]
command = "python manage.py migrate && echo done && sleep infinity"
cwd = "apps/api"
depends_on = ["db"]
health_check = "test -f .migrate-complete"

[tasks.api]
command = "python manage.py runserver 0.0.0.0:$PORT"
cwd = "apps/api"
host = "api"
depends_on = ["migrate"]
health_check = "curl -sf https://api.fullstack-app.localhost/health"
stop_grace_period = 10

[tasks.worker]
command = "celery -A myapp worker -l info"
cwd = "apps/api"
depends_on = ["db"]
restart_policy = "always"
max_restarts = 10
restart_backoff = 3.0

[tasks.web]
command = "bun dev --port $PORT"
cwd = "apps/web"
host = "web"
depends_on = ["api"]
health_check = "curl -sf https://web.fullstack-app.localhost"

[tasks.storybook]
command = "bun storybook"
cwd = "apps/web"
auto_start = false
`,
  bodyCheck: `
[tasks.web]
command = "next dev -p $PORT"
host = "web"
health_url = "http://localhost:$PORT"
health_expected_body = "id=\\"__next\\""
`,
  // The original shows the hooks alone; the task they belong to is added.
  hooks: `
[hooks]
before_start = "echo starting"

[tasks.api]
command = "python manage.py runserver"

[tasks.api.hooks]
before_start = "python manage.py migrate"
after_stop = "echo api stopped"
`,
};

/** Settings of the host, by what they show. */
export const ORIGINAL_HOSTS: Readonly<Record<string, string>> = {
  injection: `auto_inject_agents = false\n`,
  resolver: `
host_resolver = "dns_server"
dns_server_port = 5454
dns_managed_tld = "localhost"
`,
  proxy: `
proxy_enabled = true
proxy_https_port = 443
proxy_bind = "127.0.0.1"
`,
  tunnel: `
[tunnel.cloudflare]
account_id = "abcd..."
zone_id    = "ef56..."
api_token  = "cf-pat-..."
`,
  mcp: `
[mcp]
enabled = true
path    = "/mcp"
filter  = ["task_exited", "health_check_failed",
           "auto_restart", "task_killed"]
`,
  ports: `
health_check_interval = 30
api_port              = 8765
`,
};
