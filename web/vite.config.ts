import { defineConfig } from "vite";

// Relative addresses, so that the pages can be served from anywhere; nothing inline, so that the content policy can be strict.
export default defineConfig({
	base: "./",
	esbuild: { jsx: "automatic", jsxImportSource: "preact" },
	build: {
		target: "es2022",
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		chunkSizeWarningLimit: 900,
		rollupOptions: {
			output: {
				manualChunks: (id) =>
					id.includes("node_modules/three") ? "three" : /node_modules\/(echarts|zrender)/.test(id) ? "echarts" : undefined,
			},
		},
	},
});
