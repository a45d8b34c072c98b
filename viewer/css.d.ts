/** Stylesheets are bundled into one file by esbuild. */
declare module "*.css";
