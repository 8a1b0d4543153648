<?php
/**
 * Plugin Name:       Dateline Most Popular
 * Description:       Shows Dateline's Most Popular as a block or a shortcode, made on the server, kept when Dateline is away.
 * Version:           1.0.0
 * Requires at least: 5.8
 * Requires PHP:      7.2
 * License:           GPL-2.0-or-later
 * License URI:       https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain:       dateline-popular
 *
 * This folder may be used and shared under the terms of the GNU General Public License, version 2 or later, as
 * WordPress itself; it shares no code with Dateline. Readers' browsers ask nobody but your site.
 */

defined( 'ABSPATH' ) || exit;

const DATELINE_POPULAR_ADDRESS = 'dateline_popular_address';
/** Seconds a list is fresh; how long to leave Dateline alone after it did not answer; how long an old list is good. */
const DATELINE_POPULAR_FRESH_S = 60;
const DATELINE_POPULAR_PAUSE_S = 30;
const DATELINE_POPULAR_KEPT_S  = 86400;
const DATELINE_POPULAR_WINDOWS = array( 'now', 'today', 'week', 'trending' );

add_shortcode( 'dateline_popular', 'dateline_popular_html' );
add_action( 'init', 'dateline_popular_block' );
add_action( 'admin_menu', 'dateline_popular_menu' );
add_action( 'admin_init', 'dateline_popular_register' );
register_uninstall_hook( __FILE__, 'dateline_popular_uninstall' );

/** Where Dateline is; a constant in wp-config.php wins over the settings page. */
function dateline_popular_address() {
	$given = defined( 'DATELINE_POPULAR_URL' ) ? DATELINE_POPULAR_URL : get_option( DATELINE_POPULAR_ADDRESS, '' );
	return untrailingslashit( $given );
}

/** The list as HTML; "" where there is none, so that a page is never broken by it. */
function dateline_popular_html( $asked ) {
	$asked  = shortcode_atts( array( 'window' => 'today', 'section' => '', 'count' => 10 ), (array) $asked, 'dateline_popular' );
	$window = in_array( $asked['window'], DATELINE_POPULAR_WINDOWS, true ) ? $asked['window'] : 'today';
	$told   = dateline_popular_told( $window, (string) $asked['section'] );
	$lines  = '';
	foreach ( array_slice( (array) ( $told['items'] ?? array() ), 0, max( 1, (int) $asked['count'] ) ) as $item ) {
		$lines .= dateline_popular_line( $item );
	}
	if ( '' === $lines ) {
		return '';
	}
	$title = (string) ( $told['title'] ?? '' );
	$note  = empty( $told['note'] ) ? '' : '<p><small>' . esc_html( $told['note'] ) . '</small></p>';
	return '<section class="dateline-popular" aria-label="' . esc_attr( $title ) . '"><h2>' . esc_html( $title ) . '</h2><ol>' . $lines . '</ol>' . $note . '</section>';
}

function dateline_popular_line( $item ) {
	$url = isset( $item['url'] ) ? esc_url( $item['url'], array( 'https', 'http' ) ) : '';
	if ( '' === $url || empty( $item['title'] ) ) {
		return '';
	}
	$label = empty( $item['label'] ) ? '' : ' <small>' . esc_html( $item['label'] ) . '</small>';
	return '<li><a href="' . $url . '">' . esc_html( $item['title'] ) . '</a>' . $label . '</li>';
}

/** What Dateline told, at most a minute old; older, up to a day, where it does not answer. */
function dateline_popular_told( $window, $section ) {
	$address = dateline_popular_address();
	if ( '' === $address ) {
		return array();
	}
	$query = array( 'window' => $window );
	if ( '' !== $section ) {
		$query['section'] = $section;
	}
	$url  = $address . '/popular.json?' . http_build_query( $query );
	$name = 'dateline_popular_' . md5( $url );
	$kept = get_transient( $name );
	$kept = is_array( $kept ) ? $kept : array( 'told' => array(), 'etag' => '', 'good_until' => 0, 'next' => 0 );
	if ( time() < $kept['next'] ) {
		return $kept['told'];
	}
	$kept = dateline_popular_asked( $url, $kept );
	set_transient( $name, $kept, DATELINE_POPULAR_KEPT_S );
	return $kept['told'];
}

/** Ask once, for two seconds at most. Whatever goes wrong, what was kept stays until its day is over. */
function dateline_popular_asked( $url, $kept ) {
	$headers = '' === $kept['etag'] ? array() : array( 'If-None-Match' => $kept['etag'] );
	$answer  = wp_remote_get( $url, array( 'timeout' => 2, 'redirection' => 0, 'limit_response_size' => 262144, 'headers' => $headers ) );
	$status  = is_wp_error( $answer ) ? 0 : (int) wp_remote_retrieve_response_code( $answer );
	$told    = 200 === $status ? json_decode( wp_remote_retrieve_body( $answer ), true ) : null;
	$now     = time();
	if ( is_array( $told ) && isset( $told['items'] ) && is_array( $told['items'] ) ) {
		$kept['told'] = $told;
		$kept['etag'] = (string) wp_remote_retrieve_header( $answer, 'etag' );
	} elseif ( 304 !== $status ) {
		$kept['next'] = $now + DATELINE_POPULAR_PAUSE_S;
		if ( $now > $kept['good_until'] ) {
			$kept['told'] = array();
			$kept['etag'] = '';
		}
		return $kept;
	}
	$kept['next']       = $now + DATELINE_POPULAR_FRESH_S;
	$kept['good_until'] = $now + DATELINE_POPULAR_KEPT_S;
	return $kept;
}

/** The block is made on the server, like the shortcode; its script only lets an editor choose. */
function dateline_popular_block() {
	if ( ! function_exists( 'register_block_type' ) ) {
		return;
	}
	$needs = array( 'wp-blocks', 'wp-element', 'wp-components', 'wp-block-editor', 'wp-server-side-render', 'wp-i18n' );
	wp_register_script( 'dateline-popular-block', plugins_url( 'block.js', __FILE__ ), $needs, '1.0.0', true );
	register_block_type(
		'dateline/popular',
		array(
			'editor_script'   => 'dateline-popular-block',
			'render_callback' => 'dateline_popular_html',
			'attributes'      => array(
				'window'  => array( 'type' => 'string', 'default' => 'today', 'enum' => DATELINE_POPULAR_WINDOWS ),
				'section' => array( 'type' => 'string', 'default' => '' ),
				'count'   => array( 'type' => 'number', 'default' => 10 ),
			),
		)
	);
}

// Settings.

function dateline_popular_menu() {
	add_options_page( 'Dateline Most Popular', 'Dateline Most Popular', 'manage_options', 'dateline-popular', 'dateline_popular_page' );
}

function dateline_popular_register() {
	register_setting( 'dateline-popular', DATELINE_POPULAR_ADDRESS, array( 'sanitize_callback' => 'dateline_popular_clean' ) );
}

function dateline_popular_clean( $given ) {
	return esc_url_raw( trim( (string) $given ), array( 'https', 'http' ) );
}

function dateline_popular_page() {
	?>
	<div class="wrap">
		<h1>Dateline Most Popular</h1>
		<form method="post" action="options.php">
			<?php settings_fields( 'dateline-popular' ); ?>
			<p>
				<label for="dateline-popular-address"><?php esc_html_e( 'Where Dateline is (https://…)', 'dateline-popular' ); ?></label><br>
				<input id="dateline-popular-address" class="regular-text code" type="url" name="<?php echo esc_attr( DATELINE_POPULAR_ADDRESS ); ?>" value="<?php echo esc_attr( dateline_popular_address() ); ?>">
			</p>
			<?php submit_button(); ?>
		</form>
	</div>
	<?php
}

function dateline_popular_uninstall() {
	delete_option( DATELINE_POPULAR_ADDRESS );
}
