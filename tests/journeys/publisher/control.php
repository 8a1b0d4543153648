<?php
// What an editor does, as one order in JSON by POST; the answer is JSON. A request like any other: due cron is spawned.
if (!hash_equals((string) getenv('PUBLISHER_TOKEN'), $_SERVER['HTTP_X_TOKEN'] ?? '')) {
    http_response_code(404);
    exit;
}
$order = json_decode(file_get_contents('php://input'), true);
if ($order['do'] === 'install') {
    define('WP_INSTALLING', true);
    (new mysqli('localhost', 'root', '', '', 0, getenv('PUBLISHER_SOCKET')))->query('CREATE DATABASE IF NOT EXISTS wordpress');
}
if ($order['do'] === 'import_old') {
    define('WP_IMPORTING', true);
}
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/admin.php';
wp_set_current_user(1);

/** WordPress answers a WP_Error, or 0, where it did nothing. */
function done($result)
{
    if (is_wp_error($result) || !$result) {
        throw new RuntimeException(is_wp_error($result) ? $result->get_error_message() : 'WordPress did nothing');
    }
    return $result;
}

function post_of(int $id): array
{
    $post = get_post(done($id));
    return ['id' => $id, 'url' => get_permalink($id), 'slug' => $post->post_name, 'status' => $post->post_status];
}

/** Make each category of a path below the one before; the last one's id. */
function section(array $path): int
{
    $parent = 0;
    foreach ($path as $name) {
        $parent = (int) done(wp_create_category($name, $parent));
    }
    return $parent;
}

/** The fields of a post that an order names, slashed as WordPress wants them. */
function fields(array $order): array
{
    $kept = array_intersect_key($order, array_flip(['ID', 'post_title', 'post_content', 'post_status', 'post_name']));
    if (isset($order['section'])) {
        $kept['post_category'] = [section($order['section'])];
    }
    if (isset($order['date_gmt'])) {
        $kept += ['post_date_gmt' => $order['date_gmt'], 'post_date' => get_date_from_gmt($order['date_gmt'])];
        $kept['edit_date'] = true;
    }
    return wp_slash($kept);
}

$acts = [
    'install' => function (array $order) {
        require_once ABSPATH . 'wp-admin/includes/upgrade.php';
        // The installer tries kinds of addresses on its own site, in another worker. On a slow machine that one writes its
        // rules after ours, and every post is 404 for good; where a structure is set already the installer leaves it alone.
        $set = fn () => '/%postname%/';
        add_filter('pre_option_permalink_structure', $set);
        wp_install($order['title'], 'editor', 'editor@dispatch.example.org', true, '', wp_generate_password());
        wp_update_user(['ID' => 1, 'display_name' => $order['author']]);
        update_option('timezone_string', $order['zone']);
        update_option('ping_sites', '');
        remove_filter('pre_option_permalink_structure', $set);
        $GLOBALS['wp_rewrite']->set_permalink_structure('/%postname%/');
        switch_theme('publisher');
        flush_rewrite_rules();
        return ['version' => $GLOBALS['wp_version']];
    },
    // As the editor's screen does: a draft first, so that the guid is /?p=ID.
    'publish' => function (array $order) {
        $id = done(wp_insert_post(['post_status' => 'auto-draft', 'post_title' => 'Auto Draft'], true));
        return post_of(done(wp_update_post(['ID' => $id] + fields($order), true)));
    },
    'edit' => fn (array $order) => post_of(done(wp_update_post(fields($order), true))),
    // WordPress schedules nothing that is due within a minute, so the date of what is scheduled is moved.
    'come_due' => function (array $order) {
        $dates = array_intersect_key(fields($order), ['post_date' => 0, 'post_date_gmt' => 0]);
        $GLOBALS['wpdb']->update('wp_posts', $dates, ['ID' => $order['ID']]);
        clean_post_cache($order['ID']);
        wp_clear_scheduled_hook('publish_future_post', [$order['ID']]);
        wp_schedule_single_event(strtotime($dates['post_date_gmt'] . ' GMT'), 'publish_future_post', [$order['ID']]);
        return post_of($order['ID']);
    },
    'trash' => fn (array $order) => ['id' => done(wp_trash_post($order['ID']))->ID],
    'delete' => fn (array $order) => ['id' => done(wp_delete_post($order['ID'], true))->ID],
    'bulk_edit' => fn (array $order) => bulk_edit_posts([
        'post' => $order['ids'], 'post_type' => 'post', '_status' => -1, 'comment_status' => 'closed', 'tax_input' => [],
        'post_category' => [], 'post_author' => -1, 'ping_status' => '', 'sticky' => -1, 'post_format' => -1,
    ]),
    'import_old' => function (array $order) {
        $GLOBALS['wpdb']->query('START TRANSACTION');
        $ids = array_map(fn ($post) => done(wp_insert_post(fields($post), true)), $order['posts']);
        $GLOBALS['wpdb']->query('COMMIT');
        return ['ids' => $ids];
    },
    'rewrite_guids' => fn () => [
        'changed' => $GLOBALS['wpdb']->query("UPDATE wp_posts SET guid = REPLACE(guid, 'http://', 'https://')"),
    ],
    'options' => function (array $order) {
        array_walk($order['options'], fn ($value, $name) => update_option($name, $value));
        return get_option(array_key_first($order['options']));
    },
    'activate' => fn (array $order) => ['error' => activate_plugin($order['plugin'])],
];

header('Content-Type: application/json');
try {
    echo json_encode($acts[$order['do']]($order));
} catch (Throwable $error) {
    http_response_code(500);
    echo json_encode(['error' => $error->getMessage()]);
}
