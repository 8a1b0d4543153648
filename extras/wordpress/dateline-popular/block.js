/* The editor's side of the block: three choices and the list as readers will see it. GPL-2.0-or-later. */
(function (blocks, element, components, editor, ServerSideRender, i18n) {
  "use strict";
  var el = element.createElement, __ = i18n.__;

  blocks.registerBlockType("dateline/popular", {
    apiVersion: 2,
    title: __("Dateline Most Popular", "dateline-popular"),
    category: "widgets",
    icon: "list-view",
    attributes: {
      window: { type: "string", default: "today" },
      section: { type: "string", default: "" },
      count: { type: "number", default: 10 }
    },
    edit: function (props) {
      var set = props.setAttributes, has = props.attributes;
      var windows = ["now", "today", "week", "trending"].map(function (name) { return { label: name, value: name }; });
      return el("div", editor.useBlockProps(),
        el(editor.InspectorControls, {},
          el(components.PanelBody, { title: __("Which list", "dateline-popular") },
            el(components.SelectControl, { label: __("Window", "dateline-popular"), value: has.window, options: windows, onChange: function (v) { set({ window: v }); } }),
            el(components.TextControl, { label: __("Section (empty: all)", "dateline-popular"), value: has.section, onChange: function (v) { set({ section: v }); } }),
            el(components.RangeControl, { label: __("Stories", "dateline-popular"), value: has.count, min: 1, max: 10, onChange: function (v) { set({ count: v }); } }))),
        el(ServerSideRender, { block: "dateline/popular", attributes: has }));
    },
    save: function () { return null; }
  });
})(window.wp.blocks, window.wp.element, window.wp.components, window.wp.blockEditor, window.wp.serverSideRender, window.wp.i18n);
