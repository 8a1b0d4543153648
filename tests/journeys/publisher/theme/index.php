<!DOCTYPE html>
<html <?php language_attributes(); ?>>
<head><meta charset="utf-8"><?php wp_head(); ?></head>
<body <?php body_class(); ?>>
<header><a href="/"><?php bloginfo('name'); ?></a> <nav><?php wp_list_categories('title_li=&hide_empty=0'); ?></nav></header>
<main>
<?php if (is_404()) { ?>
  <h1>Nothing here</h1>
<?php } elseif (is_singular()) { the_post(); $section = get_the_category()[0] ?? null; ?>
  <article <?php post_class(); ?>>
    <p class="breadcrumb"><a href="/">Home</a> » <?php echo $section ? get_term_parents_list($section->term_id, 'category', ['separator' => ' » ']) : ''; ?></p>
    <h1 class="entry-title"><?php the_title(); ?></h1>
    <p class="byline">By <span class="author"><?php the_author(); ?></span>
      <time datetime="<?php the_date('c'); ?>"><?php the_time('j F Y, H:i'); ?></time></p>
    <div class="share">Share this: <a href="#x">X</a> <a href="#f">Facebook</a> <a href="#w">WhatsApp</a></div>
    <div class="entry-content"><?php the_content(); ?></div>
    <p>Follow us on <a href="#g">Google News</a> and <a href="#t">Telegram</a>.</p>
  </article>
<?php } else { while (have_posts()) { the_post(); ?>
  <h2><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h2>
<?php } } ?>
</main>
<aside><h3>Most Popular</h3><ul><?php wp_get_archives('type=postbypost&limit=5'); ?></ul></aside>
<?php wp_footer(); ?>
</body>
</html>
